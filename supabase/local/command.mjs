// The command that the stack was started for.
import { spawn } from "node:child_process";
import { REPO } from "./settings.mjs";
import { watch } from "./processes.mjs";
import { exitCode, handOver } from "./signals.mjs";

const TERMINAL = process.stdin.isTTY === true;

/** At a terminal Ctrl-C reaches the command by itself; elsewhere it has a group of its own and gets every signal from here. */
function forwarder(child) {
  let interrupts = 0;
  return (signal) => {
    if (signal === "SIGINT" && TERMINAL && ++interrupts === 1) return;
    try { process.kill(TERMINAL ? child.pid : -child.pid, signal); } catch { /* it has just ended */ }
  };
}

/** Runs one command to its end and returns its exit code. */
export async function runCommand([program, ...args], { env, register }) {
  const child = watch(spawn(program, args, { env: { ...process.env, ...env }, stdio: "inherit", detached: !TERMINAL }));
  if (child.pid) register.add("command", child.pid, "SIGTERM");
  handOver(forwarder(child));
  const { code, signal, error } = await child.ended;
  if (error) throw new Error(`cannot run ${program}: ${error.code === "ENOENT" ? "there is no such program" : error.message}`);
  register.remove(child.pid);
  return code ?? exitCode(signal);
}

/** Runs commands separated by --then, until one fails; `last(env)` is told when the last one begins. */
export async function runCommands(words, { env, register, last }) {
  const commands = [[]];
  for (const word of words) if (word === "--then") commands.push([]); else commands.at(-1).push(word);
  for (const [index, command] of commands.entries()) {
    if (index === commands.length - 1) last?.();
    const code = await runCommand(command, { env, register, cwd: REPO });
    if (code !== 0) return code;
  }
  return 0;
}
