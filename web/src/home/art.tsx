// The picture of the home page: one screen, and its rays to many. Drawn in the page's own colours.

const SCREENS = [
  { x: 300, y: 22, w: 92, h: 58 },
  { x: 352, y: 112, w: 112, h: 70 },
  { x: 358, y: 214, w: 96, h: 60 },
  { x: 296, y: 304, w: 46, h: 78 },
] as const;

export function Art() {
  return (
    <svg class="art" viewBox="0 0 480 400" aria-hidden="true">
      <defs>
        <linearGradient id="ray" x1="0" x2="1">
          <stop class="ray-near" offset="0" />
          <stop class="ray-far" offset="1" />
        </linearGradient>
      </defs>
      {SCREENS.map((s) => (
        <path key={s.y} class="ray" d={`M150 200 C 220 200, 230 ${s.y + s.h / 2}, ${s.x} ${s.y + s.h / 2}`} />
      ))}
      <g class="sender">
        <rect x="14" y="138" width="196" height="124" rx="16" />
        <path class="play" d="M96 174v52l44-26z" />
        <path class="seek" d="M36 243h152" />
        <path class="done" d="M36 243h58" />
      </g>
      {SCREENS.map((s) => (
        <g class="taker" key={s.x + s.y}>
          <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="10" />
          <path class="play" d={`M${s.x + s.w / 2 - 6} ${s.y + s.h / 2 - 10}v20l17-10z`} />
        </g>
      ))}
    </svg>
  );
}
