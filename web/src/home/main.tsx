import { render } from 'preact';
import '../ui/base.css';
import './home.css';
import { Home } from './home';

const root = document.getElementById('app');
if (root) render(<Home />, root);
