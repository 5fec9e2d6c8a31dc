// node supabase/local/main.mjs [--ephemeral] [--redis] [--attach] [--local-only] [--app] [--no-stack] [-- command args... [--then command args...]]
import { ACCOUNT, announce } from "./banner.mjs";
import { runCommands } from "./command.mjs";
import { loadDotEnv, remote } from "./dotenv.mjs";
import { registerWith, startGuard } from "./guard.mjs";
import { isFree } from "./ports.mjs";
import { VAPI_WEBHOOK_SECRET } from "./settings.mjs";
import { failed, untilAsked } from "./signals.mjs";
import { Stack, say } from "./stack.mjs";
import { claim, runningStack } from "./state.mjs";

const FLAGS = ["--ephemeral", "--redis", "--attach", "--app", "--no-stack", "--local-only"];
const NOBODY = { add() {}, remove() {} };

function parse(argv) {
  const split = argv.indexOf("--");
  const flags = split < 0 ? argv : argv.slice(0, split);
  const unknown = flags.find((flag) => !FLAGS.includes(flag));
  if (unknown) throw new Error(`unknown option ${unknown}; there are ${FLAGS.join(", ")}`);
  return { on: (name) => flags.includes(`--${name}`), words: split < 0 ? [] : argv.slice(split + 1) };
}

async function repeat(state, { on, words }) {
  if (on("attach")) return runCommands(words, { env: programEnv(state.env), register: NOBODY });
  console.log(`The stack already runs from this clone (process ${state.pid}).`);
  for (const [name, value] of Object.entries({ Supabase: state.env.SUPABASE_URL, Database: state.env.DATABASE_URL, App: state.app })) if (value) say(`${name.padEnd(9)} ${value}`);
  return 0;
}

async function checkAppPort() {
  const { HOST = "127.0.0.1", PORT = "3001" } = process.env;
  if (!await isFree(Number(PORT), HOST)) throw new Error(`port ${PORT} on ${HOST} is taken by another program; choose another one: make run PORT=3101`);
  return `http://${HOST === "0.0.0.0" ? "127.0.0.1" : HOST}:${PORT}`;
}

/** Somebody must be able to look at the monitoring; outside development the settings refuse an address. */
const demoOperator = ({ APP_ENV = "development" }) => (APP_ENV === "development" ? { OPERATORS: ACCOUNT.email } : {});

/** What the program needs beside the stack's own names; what stands in .env or the environment wins over that. */
const programEnv = (started) => ({ APP_ENV: "development", VAPI_WEBHOOK_SECRET, ...demoOperator(process.env), ...process.env, ...started });

async function withStack({ on, words }, app) {
  const durable = !on("ephemeral");
  const state = durable ? await claim() : null, guard = startGuard();
  const register = registerWith(guard, state);
  const stack = new Stack({ durable, redis: on("redis"), register });
  register.directory(stack.scratch);
  try {
    const started = await stack.start();
    const env = app || on("attach") ? programEnv(started) : started;
    state?.ready({ env: started, app });
    const code = await (words.length ? runCommands(words, { env, register, app, stopping: state?.stopping, last: () => app && announce(app, env) }) : untilAsked());
    failed.throwIfAborted();
    return code;
  } finally {
    state?.stopping();
    await stack.stop();
    await guard.stop();
    state?.release();
  }
}

async function main() {
  const wanted = parse(process.argv.slice(2));
  const { on, words } = wanted;
  if (!on("ephemeral")) loadDotEnv();
  const other = on("no-stack") || (!on("ephemeral") && remote());
  const state = on("ephemeral") || other ? null : await runningStack();
  if (state) return repeat(state, wanted);
  const app = on("app") ? await checkAppPort() : undefined;
  if (!other) return withStack(wanted, app);
  if (on("local-only")) throw new Error(`demo data is for local databases only, and SUPABASE_URL is ${process.env.SUPABASE_URL}`);
  const command = words.slice(words.lastIndexOf("--then") + 1); // what comes before it prepares a local database
  return runCommands(command, { env: {}, register: NOBODY, app, last: () => app && announce(app, process.env) });
}

try { process.exitCode = await main(); } catch (error) {
  console.error(error.calledOff ? error.message : `Could not start: ${error.message}`);
  process.exitCode = error.calledOff ?? 1;
}
process.exit();
