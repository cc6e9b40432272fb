// What went wrong with a camera, a microphone or a screen, in words. Pure.

import type { Trouble } from './source';

/** For pages that came by http from another computer. */
export const INSECURE: Trouble = {
  title: 'Camera and screen need a secure page.',
  advice:
    'Browsers allow them on https only, and this page came by http. Files can be shared from here, and everybody can watch. Whoever runs the server can switch https on with --tls-self; on the computer where Fanfare runs it is enough to write localhost into this page’s address, in the place of its number.',
};

/** The words for an error by which the microphone was refused while the camera was not. */
export function microphoneTrouble(name: string): Trouble {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The picture goes out without sound: the microphone is blocked.',
        advice: 'Allow it for this page: the sign is in the address bar. Then try again.',
      };
    case 'system':
      return {
        title: 'The picture goes out without sound: the microphone is blocked.',
        advice: 'The system keeps it from this browser. Allow it in the system’s privacy settings, then try again.',
      };
    default:
      return {
        title: 'The picture goes out without sound: the microphone does not start.',
        advice: 'Another program may be using it. Close that one, or choose another microphone, and try again.',
      };
  }
}

/** The words for an error of getUserMedia. */
export function cameraTrouble(name: string): Trouble {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The browser was not allowed to use the camera.',
        advice: 'Allow camera and microphone for this page: the sign is in the address bar. Then try again.',
      };
    case 'system':
      return {
        title: 'The system does not let this browser use the camera.',
        advice: 'Allow it in the system settings, under privacy: camera and microphone. Then try again.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { title: 'There is no camera and no microphone.', advice: 'Connect one and try again.' };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The camera does not start.',
        advice: 'Another program may be using it. Close that one and try again.',
      };
    case 'insecure':
      return INSECURE;
    default:
      return { title: 'The camera does not start.', advice: 'Try again, or choose another camera.' };
  }
}

/** The words for an error of getDisplayMedia; undefined when the person only closed the browser's question. */
export function screenTrouble(name: string): Trouble | undefined {
  switch (name) {
    case 'NotAllowedError':
    case 'AbortError':
      return undefined;
    case 'insecure':
      return INSECURE;
    case 'unsupported':
      return {
        title: 'This browser cannot share a screen.',
        advice: 'Phones and tablets cannot do that; a computer can.',
      };
    case 'system':
    case 'NotReadableError':
      return {
        title: 'The system does not let this browser record the screen.',
        advice:
          'On a Mac, open System Settings, then Privacy & Security, then Screen Recording, and switch this browser on. Then start the browser again.',
      };
    default:
      return { title: 'The screen cannot be shared.', advice: 'Try again, or choose a window instead.' };
  }
}
