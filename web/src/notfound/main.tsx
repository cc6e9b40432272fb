import { render } from 'preact';
import '../ui/base.css';
import './notfound.css';
import { NotFound } from './notfound';

const root = document.getElementById('app');
if (root) render(<NotFound path={window.location.pathname} />, root);
