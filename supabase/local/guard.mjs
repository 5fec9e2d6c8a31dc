// Speaks to guard.sh, which outlives this process and clears up after it.
import { spawn } from "node:child_process";
import path from "node:path";
import { HERE } from "./settings.mjs";

export function startGuard() {
  const guard = spawn("/bin/sh", [path.join(HERE, "guard.sh")], { cwd: "/", detached: true, stdio: ["pipe", "ignore", "ignore"] });
  guard.stdin.on("error", () => {}); // a guard that somebody ended is no reason to end the stack
  guard.unref();
  const tell = (line) => guard.stdin.write(`${line}\n`);
  return {
    add: (pid, signal) => tell(`add ${signal.replace("SIG", "")} ${pid}`), // the name as POSIX shells know it
    remove: (pid) => tell(`del ${pid}`),
    directory: (name) => tell(`dir ${name}`),
    stop() {
      guard.ref();
      return new Promise((resolve) => { guard.exitCode === null ? guard.once("exit", resolve) : resolve(); guard.stdin.end("done\n"); });
    },
  };
}

/** Tells of each program, and of the throw-away directory, both the guard and, for a durable stack, the state file. */
export const registerWith = (guard, state) => ({
  add(name, pid, signal) { guard.add(pid, signal); state?.add(name, pid, signal); },
  remove(pid) { guard.remove(pid); state?.remove(pid); },
  directory(scratch) { guard.directory(scratch); state?.directory(scratch); },
});
