// For pages that came by http from another computer.

export const SECURE = {
  title: 'Sending and receiving files needs a secure page.',
  advice:
    'Browsers allow what it takes on https only, and this page came by http. Whoever runs the server can switch https on with --tls-self; on the computer where Fanfare runs it is enough to write localhost into this page’s address, in the place of its number. At a terminal, “fanfare send” and “fanfare get” work in any case.',
} as const;
