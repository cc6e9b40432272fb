// The hidden inputs by which every browser lets people choose files and folders.

import type { RefObject } from 'preact';
import { type Chosen, ofInput } from './collect';

export function FileInput({
  input,
  folder,
  testid,
  onChoose,
}: {
  input: RefObject<HTMLInputElement | null>;
  folder?: boolean;
  testid: string;
  onChoose(chosen: Chosen[]): void;
}) {
  return (
    <input
      ref={(element) => {
        input.current = element;
        if (folder) element?.setAttribute('webkitdirectory', '');
      }}
      type="file"
      multiple={!folder}
      hidden
      data-testid={testid}
      onChange={({ currentTarget }) => {
        const chosen = ofInput(currentTarget.files ?? []);
        // The same file may be chosen again later; without this there would be no change to hear of.
        currentTarget.value = '';
        onChoose(chosen);
      }}
    />
  );
}
