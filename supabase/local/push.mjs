// node supabase/local/push.mjs: applies the migrations to the database of .env, of the running stack, or of one started for it.
import { loadDotEnv, remote } from "./dotenv.mjs";
import { registerWith, startGuard } from "./guard.mjs";
import { migrate } from "./migrate.mjs";
import { Stack } from "./stack.mjs";
import { claim, runningStack } from "./state.mjs";

const report = (count) => console.log(count ? `${count} migrations applied` : "The migrations are up to date.");

/** Starting a durable stack applies what is missing. */
async function byStarting() {
  const state = await claim(), guard = startGuard();
  const register = registerWith(guard, state);
  const stack = new Stack({ durable: true, redis: false, register });
  register.directory(stack.scratch);
  try { await stack.database(); await stack.migrations(); } finally { await stack.stop(); await guard.stop(); state.release(); }
}

async function main() {
  loadDotEnv();
  if (remote()) {
    if (!process.env.DATABASE_URL) throw new Error("DATABASE_URL is needed for a hosted project: the connection string that its dashboard shows");
    return report(await migrate(process.env.DATABASE_URL));
  }
  const running = await runningStack();
  return running ? report(await migrate(running.env.DATABASE_URL)) : byStarting();
}

try { await main(); } catch (error) { console.error(error.message); process.exitCode = 1; }
process.exit();
