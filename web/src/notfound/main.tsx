import { render } from 'preact';
import '../ui/base.css';

const root = document.getElementById('app');
if (root) render(<main class="page" />, root);
