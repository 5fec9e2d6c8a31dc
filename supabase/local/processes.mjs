// Starting, watching and stopping the programs that the stack is made of.
import { spawn } from "node:child_process";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const alive = (pid) => {
  try { return process.kill(pid, 0); } catch (error) { return error.code === "EPERM"; }
};

/** Starts a program in a session of its own, so that Ctrl-C reaches it only through the stack. */
export function start(command, args, { env, account, log, cwd = "/" }) {
  const child = spawn(command, args, { env: env ?? process.env, cwd, detached: true, stdio: ["ignore", log, log], ...account });
  child.ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  return child;
}

/** Sends each signal in turn until the program has gone. */
export async function stop(child, steps) {
  for (const [signal, patience] of [...steps, ["SIGKILL", 5000]]) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGCONT");
    child.kill(signal);
    await Promise.race([child.ended, sleep(patience, null, { ref: false })]);
  }
}

/** Resolves when `probe` stops throwing; fails at once when the program ends, or after `patience` ms. */
export async function until(probe, { child, patience = 30000, what }) {
  const deadline = Date.now() + patience;
  let ended = null;
  child?.ended.then((result) => { ended = result; });
  for (;;) {
    try { return await probe(); } catch (error) {
      if (ended) throw new Error(`${what} ended (${ended.error?.message ?? ended.signal ?? ended.code})`);
      if (Date.now() > deadline) throw new Error(`${what} gave no answer within ${patience / 1000} s (${error.message})`);
    }
    await sleep(25);
  }
}

const listen = (port) => new Promise((resolve, reject) => {
  const server = net.createServer();
  server.once("error", reject);
  server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
    const taken = server.address().port;
    server.close(() => resolve(taken));
  });
});

/** A free port: the preferred one, or any. */
export const freePort = (preferred = 0) => listen(preferred).catch(() => listen(0));
