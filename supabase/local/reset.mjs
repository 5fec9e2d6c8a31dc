// node supabase/local/reset.mjs [--force]: wipes the local data of this clone.
import readline from "node:readline/promises";
import { wipe } from "./places.mjs";
import { claim, runningStack } from "./state.mjs";

async function agreed() {
  if (process.argv.includes("--force")) return true;
  if (!process.stdin.isTTY) throw new Error("nobody is there to ask; to wipe the local data say: make reset FORCE=1");
  const prompt = readline.createInterface({ input: process.stdin, output: process.stdout });
  try { return /^y(es)?$/i.test((await prompt.question("Wipe all local data of this clone? [y/N] ")).trim()); } finally { prompt.close(); }
}

async function main() {
  const running = await runningStack();
  if (running) throw new Error(`the stack runs (process ${running.pid}); stop it first`);
  if (!await agreed()) return console.log("Nothing was changed.");
  const state = await claim(); // ends what a killed stack has left, and keeps others from starting
  wipe();
  state.release();
  return console.log("The local data is gone; make run starts afresh.");
}

try { await main(); } catch (error) { console.error(error.message); process.exitCode = 1; }
process.exit();
