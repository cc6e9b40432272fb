import { describe, expect, it } from 'vitest';
import { atNextPicture } from './next-picture';

class Video extends EventTarget {
  videoWidth = 640;
  picture: (() => void) | undefined;
  requestVideoFrameCallback(callback: () => void): number {
    this.picture = callback;
    return 1;
  }
  cancelVideoFrameCallback(): void {
    this.picture = undefined;
  }
  goOn(): void {
    this.dispatchEvent(new Event('timeupdate'));
  }
}

describe('the next picture', () => {
  const wait = (video: Video, hidden = false) => {
    const told: string[] = [];
    const end = atNextPicture(
      video,
      () => told.push('there'),
      () => hidden,
    );
    return { told, end };
  };

  it('is told once, and not by the time that goes on without it', () => {
    const video = new Video();
    const { told } = wait(video);
    video.goOn();
    expect(told).toEqual([]);
    video.picture?.();
    video.goOn();
    expect(told).toEqual(['there']);
  });

  it('is not waited for when the time goes on and on', () => {
    const video = new Video();
    const { told } = wait(video);
    for (let i = 0; i < 5; i++) video.goOn();
    expect(told).toEqual(['there']);
  });

  it.each([
    ['in a hidden page', (): [Video, boolean] => [new Video(), true]],
    ['of sound alone', (): [Video, boolean] => [Object.assign(new Video(), { videoWidth: 0 }), false]],
    [
      'in a browser that tells of none',
      (): [Video, boolean] => [Object.assign(new Video(), { requestVideoFrameCallback: undefined }), false],
    ],
  ])('%s is there when the time goes on', (_, given) => {
    const [video, hidden] = given();
    const { told } = wait(video, hidden);
    video.goOn();
    expect([told, video.picture]).toEqual([['there'], undefined]);
  });

  it('is not told when nobody waits any more', () => {
    const video = new Video();
    const { told, end } = wait(video, true);
    const { picture } = video;
    end();
    picture?.();
    video.goOn();
    expect(told).toEqual([]);
  });
});
