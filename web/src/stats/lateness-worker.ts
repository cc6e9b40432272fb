// Tells how late the timers of this machine are. Alone in its thread, so that it is the machine that makes
// it late and not the page.

const EVERY = 5; // ms
const TELL = 100; // timers

let due = performance.now() + EVERY;
let late: number[] = [];

function tick(): void {
  const now = performance.now();
  late.push(Math.max(0, now - due));
  if (late.length >= TELL) {
    self.postMessage(late);
    late = [];
  }
  due = now + EVERY;
  setTimeout(tick, EVERY);
}

setTimeout(tick, EVERY);
