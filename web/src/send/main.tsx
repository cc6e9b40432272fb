// The sending page. Its data-testid are relied upon by the browser tests:
//
//   file-input, folder-input          <input type=file>
//   choose-files, choose-folder, text, share-text
//   key-form, key-input, key-open
//   state (data-phase), link (<input readonly>), copy-link, code, qr
//   receivers (data-count, data-sent in bytes), receiver (data-phase, data-key), receiver-remove, receiver-remove-confirm
//   let-in, turn-away                 who waits for approval
//   safe                              there when the page may be closed
//   check-words                       of each receiver
//   rules, approve, password, password-save, most, life (data-until), rate
//   close-room, close-room-confirm
//   earlier, earlier-one, continue, continue-folder, forget   what was shared before a reload
//   again-files, again-folder         <input type=file>, the same files again

import { render } from 'preact';
import '../ui/base.css';
import './send.css';
import { SendController } from './controller';
import { Send } from './send';

const root = document.getElementById('app');
if (root) {
  const send = new SendController();
  send.start();
  render(<Send send={send} />, root);
}
