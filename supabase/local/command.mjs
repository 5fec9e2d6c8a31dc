// The command that the stack was started for.
import { spawn } from "node:child_process";
import { watch } from "./processes.mjs";
import { exitCode, handOver } from "./signals.mjs";

/** Gunicorn finishes its requests on SIGTERM only, takes SIGHUP for a reload, and does not hear a second request to end. */
const appSignal = (signal, interrupts) => (signal === "SIGKILL" || interrupts > 1 ? "SIGKILL" : "SIGTERM");

/** Passes signals on. The command has a session of its own, so that a Ctrl-C reaches it from here only, and once. */
function forwarder(child, { app, asked }) {
  let interrupts = 0;
  return (signal) => {
    if (signal === "SIGINT") interrupts += 1;
    const sent = app ? appSignal(signal, interrupts) : signal;
    const group = !app || sent === "SIGKILL"; // gunicorn tells its workers itself
    asked(signal);
    try { process.kill(group ? -child.pid : child.pid, sent); } catch { /* it has just ended */ }
  };
}

/** Runs one command to its end and returns its exit code. */
async function runCommand([program, ...args], { env, register, app, asked }) {
  const child = watch(spawn(program, args, { env: { ...process.env, ...env }, stdio: "inherit", detached: true }));
  if (child.pid) register.add("command", child.pid, "SIGTERM");
  handOver(forwarder(child, { app, asked }));
  const { code, signal, error } = await child.ended;
  if (error) throw new Error(`cannot run ${program}: ${error.code === "ENOENT" ? "there is no such program" : error.message}`);
  register.remove(child.pid);
  return code ?? exitCode(signal);
}

function split(words) {
  const commands = [[]];
  for (const word of words) if (word === "--then") commands.push([]); else commands.at(-1).push(word);
  return commands;
}

/** Runs commands separated by --then, until one fails or a signal comes; `last()` is told when the last one begins, an `app` or not. */
export async function runCommands(words, { env, register, app, last, stopping }) {
  let signalled = null;
  const asked = (signal) => { signalled = signal; if (app) stopping?.(); };
  const commands = split(words);
  for (const [index, command] of commands.entries()) {
    if (index === commands.length - 1) last?.();
    const code = await runCommand(command, { env, register, app, asked });
    if (code !== 0 || index === commands.length - 1) return code;
    if (signalled) return exitCode(signalled);
  }
}
