// Ctrl-C and kill: before the command runs they call off the start, afterwards they are the command's.
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const controller = new AbortController();
let target = null;

export const cancelled = controller.signal;
export const exitCode = (signal) => 128 + (NUMBERS[signal] ?? 9);

/** From now on, signals go to this function. */
export const handOver = (receiver) => { target = receiver; };

function deliver(signal) {
  if (target) target(signal);
  else controller.abort(Object.assign(new Error(`called off by ${signal}`), { calledOff: exitCode(signal) }));
}

for (const signal of Object.keys(NUMBERS)) process.on(signal, () => deliver(signal));

const failure = new AbortController();
const PATIENCE = 15000;

/** Set when the stack cannot go on. */
export const failed = failure.signal;

/** Ends the start or the command because of the stack itself; `message` is the last line that the user sees. */
export function giveUp(message) {
  const reason = Object.assign(new Error(message), { calledOff: 1 });
  failure.abort(reason);
  if (!target) return controller.abort(reason);
  deliver("SIGTERM");
  return setTimeout(() => deliver("SIGKILL"), PATIENCE).unref();
}

/** Resolves with the exit code when somebody asks for the end. */
export const untilAsked = () => new Promise((resolve) => handOver((signal) => resolve(exitCode(signal))));
