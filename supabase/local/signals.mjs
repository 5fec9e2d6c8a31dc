// Ctrl-C and kill: before the command runs they call off the start, afterwards they are the command's.
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const controller = new AbortController();
let target = null;

export const cancelled = controller.signal;
export const exitCode = (signal) => 128 + (NUMBERS[signal] ?? 9);

/** From now on, signals go to this function. */
export const handOver = (receiver) => { target = receiver; };

for (const signal of Object.keys(NUMBERS)) {
  process.on(signal, () => {
    if (target) target(signal);
    else controller.abort(Object.assign(new Error(`called off by ${signal}`), { calledOff: exitCode(signal) }));
  });
}

/** Resolves with the exit code when somebody asks for the end. */
export const untilAsked = () => new Promise((resolve) => handOver((signal) => resolve(exitCode(signal))));
