// node supabase/local/main.mjs [--ephemeral] [--redis] [-- command args...]
import { spawn } from "node:child_process";
import { environment } from "./settings.mjs";
import { startStack, stopParts } from "./stack.mjs";

const args = process.argv.slice(2);
const split = args.indexOf("--");
const options = new Set(split < 0 ? args : args.slice(0, split));
const command = split < 0 ? [] : args.slice(split + 1);

const parts = [];
let child = null, asked = null;
const wait = new Promise((resolve) => { asked = resolve; });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => (child ? child.kill(signal) : asked(signal === "SIGINT" ? 130 : 143)));
}

function runCommand(env) {
  child = spawn(command[0], command.slice(1), { env: { ...process.env, ...env }, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === "SIGINT" ? 2 : 15)));
  });
}

let code = 1;
try {
  const ports = await startStack({ durable: !options.has("--ephemeral"), parts });
  code = await (command.length ? runCommand(environment(ports)) : wait);
} catch (error) {
  console.error(`Could not start: ${error.message}`);
} finally {
  await stopParts(parts);
}
process.exit(code);
