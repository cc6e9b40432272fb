// The stream that an element plays is its own: it has it from the beginning, while there is nothing in it,
// and the tracks in it are exchanged. So a new path changes neither the element, nor its permission to sound,
// nor full screen.
//
// That it is empty at first counts. An element that Chromium loads with a picture from elsewhere already in its
// stream shows pictures in an even rhythm, for which decoded ones wait, up to half the time between two and
// a little more. One whose stream gets its picture later shows each when it is decoded, after the jitter
// buffer has evened them out, which is rhythm enough. Pages where ways are compared must not mix the two.

/** Shows these tracks from now on, in the place of those before. */
export function exchange(output: MediaStream, tracks: readonly MediaStreamTrack[]): void {
  // Kind by kind, the old track out and then the new one in: Firefox goes on showing the first
  // picture track of a stream, and with no track at all the element would end.
  for (const kind of ['audio', 'video']) {
    for (const old of output.getTracks()) if (old.kind === kind && !tracks.includes(old)) output.removeTrack(old);
    for (const track of tracks) if (track.kind === kind) output.addTrack(track);
  }
}
