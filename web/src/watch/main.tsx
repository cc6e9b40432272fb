import { render } from 'preact';
import '../ui/base.css';
import './watch.css';
import { WatchController } from './controller';
import { Watch } from './watch';

/** The stream's name is the last part of /w/{stream}. */
function streamName(path: string): string {
  const part = /^\/w\/([^/]+)\/?$/.exec(path)?.[1] ?? '';
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const root = document.getElementById('app');
if (root) {
  const embedded = window.self !== window.top;
  const watch = new WatchController(streamName(window.location.pathname));
  render(<Watch watch={watch} embedded={embedded} />, root);
  // Nothing is left running when the page goes; a page that comes out of the browser's memory starts anew.
  window.addEventListener('pagehide', () => watch.close());
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) window.location.reload();
  });
}
