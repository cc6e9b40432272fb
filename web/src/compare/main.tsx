// The evaluator's page: /compare. Its data-testid are relied upon by the browser tests:
//
//   key-form, key-input, key-open      where the publish key is not known yet
//   plan                               the form; source-test, source-file, file-input, size, viewers, seconds
//   way-sfu, way-star, way-tree, way-http   the ways to compare
//   start, stop, again
//   progress (data-phase)              opening | settling | measuring
//   result (data-valid = true | false) with paired (data-pairs, data-median, data-low, data-high), way (data-way, data-pictures, data-median)
//   device (data-pictures, data-median, data-rate)   a further device
//   save-html, save-json, save-csv, link, qr, no-devices (instead of the link, where none can come in)

import { render } from 'preact';
import '../ui/base.css';
import './compare.css';
import { Compare } from './compare';
import { CompareController } from './controller';

const root = document.getElementById('app');
if (root) {
  const compare = new CompareController();
  render(<Compare compare={compare} />, root);
  window.addEventListener('pagehide', () => compare.stop());
}
