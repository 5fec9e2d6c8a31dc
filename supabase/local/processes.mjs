// Starting, watching and stopping the programs that the stack is made of.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf } from "./identity.mjs";
import { revive } from "./revive.mjs";

/** Starts a program in a session of its own, so that Ctrl-C reaches it only through the stack. */
export function launch(command, args, { env = process.env, account = {}, log = "ignore", cwd = "/" } = {}) {
  return watch(spawn(command, args, { env, cwd, detached: true, stdio: ["ignore", log, log], ...account }));
}

/** Adds `ended`, a promise of how the program ended. */
export function watch(child) {
  child.ended = new Promise((resolve) => {
    child.once("error", (error) => resolve({ error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  return child;
}

const running = (child) => child.pid !== undefined && child.exitCode === null && child.signalCode === null;

/** Resolves when `probe` stops throwing; fails when the program ends, the start is called off, or `patience` ms are over. */
export async function until(probe, { child, cancelled, what, patience = 30000 }) {
  const deadline = Date.now() + patience;
  for (;;) {
    cancelled?.throwIfAborted();
    try { return await probe(); } catch (error) {
      if (child && !running(child)) throw new Error(`${what} ended at once`);
      if (Date.now() > deadline) throw new Error(`${what} gave no answer within ${patience / 1000} s (${error.message})`);
    }
    await sleep(25);
  }
}

/** A program that can be stopped, started again, and frozen, and that is kept alive. `open` launches it and `ready` throws until it answers. */
export class Service {
  constructor({ name, open, ready, signal, patience = 10000, register, cancelled }) {
    Object.assign(this, { name, open, ready, signal, patience, register, cancelled });
  }

  async start() {
    this.wanted = true;
    if (this.child && running(this.child)) return;
    await this.launch();
  }

  /** From its first answer on, a program that ends unasked is started again. */
  async launch() {
    const child = this.open();
    Object.assign(this, { child, paused: false });
    if (child.pid) this.register.add(this.name, child.pid, this.signal);
    await until(this.ready, { child, cancelled: this.cancelled, what: this.name });
    child.ended.then((how) => revive(this, child, how));
  }

  async stop() {
    this.wanted = false;
    if (this.child) await this.quit();
  }

  async quit() {
    const { child } = this;
    for (const signal of [this.signal, "SIGKILL"]) {
      if (!running(child)) break;
      this.resume();
      child.kill(signal);
      await Promise.race([child.ended, sleep(this.patience, null, { ref: false })]);
    }
    this.register.remove(child.pid);
  }

  /** Freezes the program with all its children: it keeps its connections and answers none of them. */
  pause() {
    this.child.kill("SIGSTOP");
    this.tellChildren("SIGSTOP");
    this.paused = true;
  }

  resume() {
    if (!this.paused) return;
    this.tellChildren("SIGCONT");
    this.child.kill("SIGCONT");
    this.paused = false;
  }

  tellChildren(signal) {
    for (const pid of childrenOf(this.child.pid)) {
      try { process.kill(pid, signal); } catch { /* it has just ended */ }
    }
  }
}
