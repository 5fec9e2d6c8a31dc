// .local/stack.json: which durable stack runs from this clone, and which programs it started.
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beginning, same } from "./identity.mjs";
import { LOCAL } from "./settings.mjs";

const FILE = path.join(LOCAL, "stack.json");
const READY_WITHIN = 120000;
const GONE_WITHIN = 40000;

const read = () => { try { return JSON.parse(fs.readFileSync(FILE, "utf8")); } catch { return null; } };

function write(state) {
  fs.writeFileSync(`${FILE}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
  fs.renameSync(`${FILE}.new`, FILE);
}

/** Waits while a stack of this clone stops; null when it is gone, else its state. */
async function gone(state) {
  if (!state?.stopping || !same(state)) return state;
  console.log("The stack of this clone is just stopping; waiting for it.");
  for (const deadline = Date.now() + GONE_WITHIN; read()?.pid === state.pid && same(state); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`the stack that is stopping (process ${state.pid}) does not end`);
  }
  return read();
}

/** The state of a stack that runs from this clone, or null; waits for one that is just starting or stopping. */
export async function runningStack() {
  const deadline = Date.now() + READY_WITHIN;
  for (let state = await gone(read()); state && same(state); state = await gone(read())) {
    if (state.env) return state;
    if (Date.now() > deadline) throw new Error(`another start of this stack (process ${state.pid}) does not get ready`);
    await sleep(100);
  }
  return null;
}

const faster = () => new Error("another start of this stack was faster; run the command again");

async function end({ pid, signal, ...rest }) {
  const began = { pid, ...rest };
  for (const step of [signal, "SIGKILL"]) {
    if (!same(began)) return;
    try { process.kill(pid, "SIGCONT"); process.kill(pid, step); } catch (error) {
      if (error.code === "ESRCH") return;
      throw new Error(`process ${pid} of an earlier start belongs to another account; stop it as that account`);
    }
    for (let waited = 0; waited < 10000 && same(began); waited += 50) await sleep(50);
  }
}

/** Ends what a stack that was killed has left behind. */
async function clearUp() {
  const state = read();
  if (state && same(state)) throw faster();
  const { programs = [], scratch } = state ?? {};
  for (const program of programs.reverse()) await end(program);
  if (scratch) fs.rmSync(scratch, { recursive: true, force: true });
  fs.rmSync(FILE, { force: true });
}

/** Takes the clone for this process; returns what keeps the file true. Fails if another start was faster. */
export async function claim() {
  fs.mkdirSync(LOCAL, { recursive: true, mode: 0o755 });
  await clearUp();
  const state = { pid: process.pid, began: beginning(process.pid), programs: [] };
  try { fs.writeFileSync(FILE, JSON.stringify(state), { flag: "wx", mode: 0o600 }); } catch (error) {
    throw error.code === "EEXIST" ? faster() : error;
  }
  return {
    add(name, pid, signal) { state.programs.push({ name, pid, signal, began: beginning(pid) }); write(state); },
    remove(pid) { state.programs = state.programs.filter((program) => program.pid !== pid); write(state); },
    directory(scratch) { write(Object.assign(state, { scratch })); },
    ready(details) { write(Object.assign(state, details)); },
    stopping() { write(Object.assign(state, { stopping: true })); },
    release: () => fs.rmSync(FILE, { force: true }),
  };
}
