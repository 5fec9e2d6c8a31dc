// Starts the parts in order and stops them in the opposite one.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DATABASE_PORT, DOOR_PORT, LOCAL, doorUrl } from "./settings.mjs";
import { authHandler } from "./auth/index.mjs";
import { bootstrap } from "./bootstrap.mjs";
import { openDoor } from "./door.mjs";
import { postgresAccount, postgresEngine } from "./engines.mjs";
import { migrate } from "./migrate.mjs";
import { connect, initialise, startPostgres } from "./postgres.mjs";
import { startPostgrest } from "./postgrest.mjs";
import { freePort } from "./processes.mjs";

export const say = (line) => console.log(`  ${line}`);

function directory(durable) {
  if (durable) { fs.mkdirSync(LOCAL, { recursive: true }); return LOCAL; }
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "voxanne-stack-"));
  fs.chmodSync(made, 0o711);
  return made;
}

/** Starts everything; `parts` is filled as it goes, so that a failure half-way can be undone. */
export async function startStack({ durable, parts }) {
  const home = directory(durable);
  if (!durable) parts.unshift({ stop: async () => fs.rmSync(home, { recursive: true, force: true }) });
  const log = (name) => fs.openSync(path.join(home, `${name}.log`), "a");
  const common = { durable, engine: postgresEngine(), account: postgresAccount(), data: path.join(home, "data") };
  await initialise(common);
  const databasePort = await freePort(durable ? DATABASE_PORT : 0);
  const database = await startPostgres({ ...common, port: databasePort, log: log("postgres") });
  parts.push(database);
  say(`Postgres on port ${databasePort}`);
  await bootstrap(databasePort);
  const pushed = await migrate(databasePort);
  say(pushed ? `${pushed} migrations applied` : "migrations are up to date");
  const rest = await startPostgrest({ databasePort, socket: path.join(home, "rest.sock"), log: log("postgrest") });
  parts.push(rest);
  say("PostgREST");
  const doorPort = await freePort(durable ? DOOR_PORT : 0);
  const sql = connect(databasePort, "supabase_auth_admin", { max: 8 });
  parts.push({ stop: () => sql.end({ timeout: 1 }) });
  const auth = authHandler({ sql, doorUrl: doorUrl(doorPort), cost: durable ? 10 : 4 });
  const door = await openDoor({ port: doorPort, handlers: { auth }, rest: () => rest.socket });
  parts.push(door);
  say(`Supabase at ${doorUrl(doorPort)}`);
  return { databasePort, doorPort };
}

export async function stopParts(parts) {
  while (parts.length) await parts.pop().stop();
}
