const EVERY_MS = { terminal: 200, file: 5_000 };
const WIDTH = 28;

/** A progress bar on a terminal; elsewhere a plain line every few seconds. Counts rows of `total`. */
export class Progress {
  constructor(total, out = process.stderr, clock = () => performance.now()) {
    Object.assign(this, { total, out, clock, done: 0, label: "", started: clock(), shown: -Infinity });
  }

  /** `rows` more rows are in. */
  add(rows) {
    this.done += rows;
    if (this.clock() - this.shown >= (this.out.isTTY ? EVERY_MS.terminal : EVERY_MS.file)) this.show();
  }

  /** Prints a line of its own, above the bar. */
  say(text) {
    this.out.write(this.out.isTTY ? `\r\x1b[K${text}\n` : `${text}\n`);
    if (this.out.isTTY && this.done < this.total) this.show();
  }

  show() {
    this.shown = this.clock();
    this.out.write(this.out.isTTY ? `\r\x1b[K${this.text()}` : `${this.text()}\n`);
  }

  finish() {
    if (this.out.isTTY) this.out.write("\r\x1b[K");
  }

  text() {
    const seconds = (this.clock() - this.started) / 1000;
    const share = this.total ? Math.min(1, this.done / this.total) : 1;
    const filled = Math.round(share * WIDTH);
    const rate = seconds > 0 ? this.done / seconds : 0;
    const left = rate ? `${duration((this.total - this.done) / rate)} left` : "";
    const bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
    return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${group(this.done)} of ${group(this.total)} rows, ${group(Math.round(rate))}/s, ${left}  ${this.label}`.trimEnd();
  }
}

export const group = (number) => number.toLocaleString("en");

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
