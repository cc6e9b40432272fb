// The uploader's page: /studio#key=…
//
// Stable names for tests (data-testid), and what can be read from them:
//
//   key-form, key-input, key-remember, key-open, key-error   asking for the key
//   drop-zone                     the whole working area; files may be dropped anywhere on the page
//   file-input                    <input type=file multiple>, always there: files go to the end of the list
//   choose-files, choose-camera, choose-screen               buttons that begin or change the source
//   camera-device, microphone-device, device-sound           with a camera
//   preview                       the <video> that shows what viewers get
//   state                         words for the state; data-state = setup | ready | connecting | live | paused |
//                                 seeking | reconnecting | ended | replaced | refused | unreachable | blocked | returning
//   notice, notice-close          what the uploader should know (hidden tab, end of list, file refused …)
//   go-live, stop, take-back      take-back: publish here again after a newer publisher took over
//   pause                         plays and pauses; aria-pressed says whether it is paused
//   seek                          <input type=range> in seconds; position, duration: text
//   previous, next, loop, volume, mute
//   queue, queue-item (data-name, aria-current, data-refused), queue-play, queue-up, queue-down, queue-remove, queue-add
//   resolution, frame-rate, bitrate, codec, keep             <select>
//   title, password, password-save, password-remove, embed
//   delivery, topology-sfu, topology-star, topology-tree, topology-auto (radio buttons)
//   delivery-now (data-topology, data-depth), delivery-why, delivery-upload, delivery-encodes, delivery-depth,
//   delivery-viewer (data-endpoint, data-via, data-relays)   how viewers get it
//   link (<input readonly>), copy-link, share-link, qr, change-link, change-link-confirm
//   viewers (data-count), viewer (data-endpoint), viewer-remove, viewer-remove-confirm
//   relaying, relaying-figures, relaying-delays, relaying-dropped   what the server does
//   health (data-level = good | fair | bad | none), health-why, figures-toggle, figures
//   continue-card, continue, continue-input (<input type=file>), continue-instead, continue-discard
//                                 after a reload while live
//   keep-key, forget-key          the key of this page

import { render } from 'preact';
import '../ui/base.css';
import './delivery.css';
import './relaying.css';
import './studio.css';
import { StudioController } from './controller';
import { Studio } from './studio';

const root = document.getElementById('app');
if (root) {
  const studio = new StudioController();
  render(<Studio studio={studio} />, root);
  void studio.start();
}
