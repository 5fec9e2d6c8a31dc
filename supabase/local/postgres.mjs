// The database: initdb on the first start, then one postgres process.
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import postgres from "postgres";
import { beginning, inhabited } from "./identity.mjs";
import { PASSWORD, databaseUrl } from "./settings.mjs";
import { Service, launch } from "./processes.mjs";

const run = promisify(execFile);
const SUPERUSER = "supabase_admin";
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_preload_libraries: "pg_stat_statements",
  max_connections: 100,
  shared_buffers: "256MB",
  work_mem: "8MB",
  maintenance_work_mem: "256MB",
  max_wal_size: "2GB",
  jit: "off",
  timezone: "UTC",
  log_min_messages: "warning",
};
const THROW_AWAY = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", shared_buffers: "128MB" };

/** A connection pool to the database at this address. */
export const connect = (url, options = {}) => postgres(url, { max: 1, connect_timeout: 5, onnotice() {}, ...options });

/** Runs `work` with a connection that is closed afterwards. */
export async function withConnection(url, work) {
  const sql = connect(url);
  try { return await work(sql); } finally { await sql.end({ timeout: 1 }); }
}

/** Makes the data directory unless it is there; it appears only when it is complete, and on the disk. */
export async function initialise({ engine, data, account, durable, scratch, signal }) {
  if (fs.existsSync(path.join(data, "PG_VERSION"))) return unlock(data);
  const half = `${data}.new`, secret = path.join(scratch, "password");
  fs.rmSync(half, { recursive: true, force: true });
  fs.mkdirSync(half, { mode: 0o700 });
  fs.writeFileSync(secret, PASSWORD);
  if (account.uid !== undefined) fs.chownSync(half, account.uid, account.gid);
  const args = ["-D", half, "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", ...(durable ? [] : ["--no-sync"])];
  await run(path.join(engine, "bin", "initdb"), args, { cwd: "/", env: { PATH: process.env.PATH }, signal, ...account });
  fs.rmSync(secret);
  fs.renameSync(half, data);
}

/** Removes the lock of a killed Postgres that nobody has collected: its number still looks alive to the next one. */
async function unlock(data) {
  const lock = path.join(data, "postmaster.pid");
  for (let tries = 0; tries < 100 && fs.existsSync(lock); tries += 1) {
    const pid = Number(fs.readFileSync(lock, "utf8").split("\n", 1)[0]);
    if (beginning(pid) !== null) return;
    if (!inhabited(data)) return fs.rmSync(lock);
    await sleep(50);
  }
}

/** One postgres process; ready when it answers a query. */
export function postgresService({ engine, data, account, durable, port, log, ...service }) {
  const settings = { ...SETTINGS, ...(durable ? {} : THROW_AWAY), port };
  const args = ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
  return new Service({
    name: "Postgres", signal: "SIGINT",
    open: () => launch(path.join(engine, "bin", "postgres"), args, { env: { PATH: process.env.PATH, LC_ALL: "C" }, account, log }),
    ready: () => withConnection(databaseUrl(port, SUPERUSER), (sql) => sql`select 1`),
    ...service,
  });
}
