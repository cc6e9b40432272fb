// Names of rooms and endpoints, as they go into what is sealed and signed.

import { MeshError } from './error';

const NAME = /^[A-Za-z0-9_-]{1,64}$/u;

/** Whether a text can name a room or an endpoint. Without a NUL in it, fields joined by one are read in one way. */
export const isName = (text: string): boolean => NAME.test(text);

/** Throws MeshError when one of the texts can name neither a room nor an endpoint. */
export function checkNames(...names: readonly string[]): void {
  if (!names.every(isName)) throw new MeshError('not a name of a room or an endpoint');
}
