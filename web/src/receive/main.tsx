// The receiving page. Its data-testid are relied upon by the browser tests:
//
//   state (data-phase), words         what goes on
//   files, file (data-path), pick     the list, and the checkbox of each file
//   get, opening                      accepts what is picked, or goes on after a reload
//   progress (data-value in %, data-held in bytes), figures, stall (data-stall), relayed, pause
//   play, player                      plays a file while it comes
//   save, save-folder, placed, text, copy-text
//   check-words
//   password, password-send

import { render } from 'preact';
import '../ui/base.css';
import './receive.css';
import { ReceiveController } from './controller';
import { Receive } from './receive';

const root = document.getElementById('app');
if (root) {
  const receive = new ReceiveController();
  render(<Receive receive={receive} />, root);
  void receive.start();
}
