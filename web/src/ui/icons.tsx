// Our own icons: 24 by 24, strokes of 1.75, round ends, in the colour of the text beside them.
// They are decoration; the words are in the label of what carries them.

import type { ComponentChildren } from 'preact';

export interface IconProps {
  /** Width and height in px; 22 by default. */
  size?: number;
}

function Icon({ size = 22, children }: IconProps & { children: ComponentChildren }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** An icon made of one path. */
const drawn =
  (d: string) =>
  ({ size }: IconProps) => (
    <Icon {...(size === undefined ? {} : { size })}>
      <path d={d} />
    </Icon>
  );

/** An icon that is filled. */
const filled =
  (d: string) =>
  ({ size }: IconProps) => (
    <Icon {...(size === undefined ? {} : { size })}>
      <path d={d} fill="currentColor" stroke-width="1.25" />
    </Icon>
  );

export const PlayIcon = filled('M7.5 5.3v13.4l11-6.7z');
export const PauseIcon = filled('M7 5.5h3v13H7zM14 5.5h3v13h-3z');
export const StopIcon = filled('M6.5 6.5h11v11h-11z');
export const NextIcon = filled('M6 6v12l8.5-6zM17 6h1.2v12H17z');
export const PreviousIcon = filled('M18 6v12l-8.5-6zM5.8 6H7v12H5.8z');
export const SoundIcon = drawn('M4 9.5v5h3.2L12 18.5v-13L7.2 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11');
export const SoundLowIcon = drawn('M4 9.5v5h3.2L12 18.5v-13L7.2 9.5zM15.5 9a4.2 4.2 0 0 1 0 6');
export const SoundOffIcon = drawn('M4 9.5v5h3.2L12 18.5v-13L7.2 9.5zM16 9.5l5 5M21 9.5l-5 5');
export const FullScreenIcon = drawn('M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15');
export const FullScreenExitIcon = drawn('M9 4.5V9H4.5M19.5 9H15V4.5M15 19.5V15h4.5M4.5 15H9v4.5');
export const PictureIcon = drawn(
  'M3.5 6.5a2 2 0 0 1 2-2h13a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2zM12 12.5h5.5v4H12z',
);
export const FiguresIcon = drawn('M4.5 19.5h15M7 16v-4M12 16V6.5M17 16V9.5');
export const ViewersIcon = drawn(
  'M2.5 12S6 5.8 12 5.8 21.5 12 21.5 12 18 18.2 12 18.2 2.5 12 2.5 12zM12 9.3a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4z',
);
export const HelpIcon = drawn(
  'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM9.7 9.7a2.4 2.4 0 1 1 3.6 2.1c-.8.5-1.3 1-1.3 1.9M12 16.7v.1',
);
export const InfoIcon = drawn('M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 11.2v5M12 7.7v.1');
export const WarningIcon = drawn('M12 4.2 21 19.5H3zM12 10v4.5M12 16.9v.1');
export const GoodIcon = drawn('M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM8.3 12.2l2.6 2.6 4.9-5.4');
export const CheckIcon = drawn('M5 12.8l4.5 4.5L19 7.5');
export const CloseIcon = drawn('M6 6l12 12M18 6L6 18');
export const LinkIcon = drawn(
  'M10 14.2a4 4 0 0 0 5.8.2l3-3a4 4 0 1 0-5.7-5.7l-1.3 1.3M14 9.8a4 4 0 0 0-5.8-.2l-3 3a4 4 0 1 0 5.7 5.7l1.3-1.3',
);
export const CopyIcon = drawn(
  'M9 8.5a1.5 1.5 0 0 1 1.5-1.5h8A1.5 1.5 0 0 1 20 8.5v10a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 9 18.5zM15 7V5.5A1.5 1.5 0 0 0 13.5 4h-8A1.5 1.5 0 0 0 4 5.5v10A1.5 1.5 0 0 0 5.5 17H9',
);
export const ShareIcon = drawn('M12 15V4M8 7.5 12 3.8l4 3.7M6 11.5v7A1.5 1.5 0 0 0 7.5 20h9a1.5 1.5 0 0 0 1.5-1.5v-7');
export const FileIcon = drawn(
  'M6 4.5A1.5 1.5 0 0 1 7.5 3H14l4.5 4.5v12A1.5 1.5 0 0 1 17 21H7.5A1.5 1.5 0 0 1 6 19.5zM13.5 3v5h5M10.2 11.5v5.5l4.5-2.7z',
);
export const FolderIcon = drawn(
  'M3.5 7A1.5 1.5 0 0 1 5 5.5h4.2l2 2.2H19A1.5 1.5 0 0 1 20.5 9.2V17a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 17z',
);
export const PaperIcon = drawn(
  'M6 4.5A1.5 1.5 0 0 1 7.5 3H14l4.5 4.5v12A1.5 1.5 0 0 1 17 21H7.5A1.5 1.5 0 0 1 6 19.5zM13.5 3v5h5',
);
export const DownloadIcon = drawn('M12 4v11M8 11.5l4 3.7 4-3.7M5 19.5h14');
export const CameraIcon = drawn(
  'M3.5 8a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2zM15.5 10.5l5-3v9l-5-3z',
);
export const CameraOffIcon = drawn(
  'M7 6h6.5a2 2 0 0 1 2 2v6.5M15.5 10.5l5-3v9l-2.6-1.5M15 17.4a2 2 0 0 1-1.5.6h-8a2 2 0 0 1-2-2V8M3.5 4l16 16',
);
export const ScreenIcon = drawn(
  'M3.5 6a1.5 1.5 0 0 1 1.5-1.5h14A1.5 1.5 0 0 1 20.5 6v9a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 15zM8.5 20h7M12 16.5V20',
);
export const MicrophoneIcon = drawn(
  'M12 3.5a2.5 2.5 0 0 1 2.5 2.5v5a2.5 2.5 0 0 1-5 0V6A2.5 2.5 0 0 1 12 3.5zM6 11a6 6 0 0 0 12 0M12 17v3.5',
);
export const MicrophoneOffIcon = drawn(
  'M9.5 5.8a2.5 2.5 0 0 1 5 .2v5M9.5 9.5V11a2.5 2.5 0 0 0 3.6 2.2M6 11a6 6 0 0 0 9 5.2M18 11a6 6 0 0 1-.6 2.6M12 17v3.5M4 4l16 16',
);
export const LiveIcon = drawn(
  'M12 10.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM8 8a5.7 5.7 0 0 0 0 8M16 8a5.7 5.7 0 0 1 0 8M5.2 5.2a9.6 9.6 0 0 0 0 13.6M18.8 5.2a9.6 9.6 0 0 1 0 13.6',
);
export const LoopIcon = drawn('M17 3.5l3 3-3 3M20 6.5H8A4 4 0 0 0 4 10.5v1M7 20.5l-3-3 3-3M4 17.5h12a4 4 0 0 0 4-4v-1');
export const LockIcon = drawn(
  'M6 11.5A1.5 1.5 0 0 1 7.5 10h9a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 18.5zM8.5 10V7.5a3.5 3.5 0 0 1 7 0V10',
);
export const PersonOffIcon = drawn(
  'M10 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM3.5 19.5c.5-3.5 3-5.5 6.5-5.5 1.3 0 2.5.3 3.5.8M16.5 15.5l4 4M20.5 15.5l-4 4',
);
export const ArrowIcon = drawn('M5 12h14M13 6l6 6-6 6');
export const BackIcon = drawn('M19 12H5M11 6l-6 6 6 6');
export const PlusIcon = drawn('M12 5v14M5 12h14');
export const TrashIcon = drawn(
  'M4.5 7h15M9.5 7V5A1.5 1.5 0 0 1 11 3.5h2A1.5 1.5 0 0 1 14.5 5v2M6.5 7l.8 11.6A1.5 1.5 0 0 0 8.8 20h6.4a1.5 1.5 0 0 0 1.5-1.4L17.5 7M10.2 11v5M13.8 11v5',
);
export const ChevronIcon = drawn('M6.5 9.5l5.5 5.5 5.5-5.5');
export const MoreIcon = drawn('M5.5 12h.1M12 12h.1M18.5 12h.1');
export const SettingsIcon = drawn(
  'M4 7h8.5M16.5 7H20M4 17h3.5M11.5 17H20M14.5 5a2 2 0 1 1 0 4 2 2 0 0 1 0-4zM9.5 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4z',
);
export const CodeIcon = drawn('M8.5 7.5 4 12l4.5 4.5M15.5 7.5 20 12l-4.5 4.5M13.5 5l-3 14');
export const NetworkOffIcon = drawn(
  'M3 3l18 18M5 12.5a10 10 0 0 1 4.5-2.6M2 9a14.5 14.5 0 0 1 4.3-2.7M12.7 5.2A14.5 14.5 0 0 1 22 9M15.5 10.5A10 10 0 0 1 19 12.5M8.5 16a5 5 0 0 1 5-1M12 19.5v.1',
);
