// The quiet card that viewers see where there is sound and no picture: the title on a dark
// ground. Layout is pure; paintCard draws it.

const WIDTH = 1280;
const HEIGHT = 720;
const LINES = 3;
export const CARD_SIZE = { width: WIDTH, height: HEIGHT } as const;

/** Breaks text into at most `most` lines of at most `width`; what does not fit ends in "…". */
export function wrap(text: string, width: number, most: number, measure: (text: string) => number): string[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const lines: string[] = [];
  while (words.length > 0 && lines.length < most) {
    let line = words.shift() ?? '';
    while (words[0] !== undefined && measure(`${line} ${words[0]}`) <= width) line += ` ${words.shift()}`;
    if (words.length > 0 && lines.length === most - 1) line += ' …';
    lines.push(shorten(line, width, measure));
  }
  return lines;
}

function shorten(line: string, width: number, measure: (text: string) => number): string {
  if (measure(line) <= width) return line;
  const signs = [...line.replace(/ ?…$/, '')];
  while (signs.length > 1 && measure(`${signs.join('')}…`) > width) signs.pop();
  return `${signs.join('')}…`;
}

/** The name of a file as a title: without its ending. */
export function titleOf(fileName: string): string {
  return fileName.replace(/\.[A-Za-z0-9]{1,5}$/, '') || fileName;
}

export function paintCard(context: CanvasRenderingContext2D, title: string): void {
  context.fillStyle = '#141210';
  context.fillRect(0, 0, WIDTH, HEIGHT);
  paintNote(context);
  context.fillStyle = '#f6f2ec';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = '650 64px ui-sans-serif, system-ui, sans-serif';
  const lines = wrap(title, WIDTH - 240, LINES, (text) => context.measureText(text).width);
  lines.forEach((line, i) => {
    context.fillText(line, WIDTH / 2, 460 + i * 80);
  });
}

/** Five bars of a level meter, standing still. */
function paintNote(context: CanvasRenderingContext2D): void {
  context.strokeStyle = '#ffb083';
  context.lineWidth = 24;
  context.lineCap = 'round';
  [64, 128, 176, 108, 52].forEach((height, i) => {
    const x = WIDTH / 2 + (i - 2) * 52;
    context.beginPath();
    context.moveTo(x, 240 - height / 2);
    context.lineTo(x, 240 + height / 2);
    context.stroke();
  });
}
