// The database: initdb on the first start, then one postgres process.
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { PASSWORD, databaseUrl } from "./settings.mjs";
import { start, stop, until } from "./processes.mjs";

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

export const connect = (port, role = SUPERUSER, options = {}) =>
  postgres(databaseUrl(port, role), { max: 4, onnotice() {}, idle_timeout: 60, ...options });

/** Makes a data directory owned by `account`, readable by nobody else. */
export async function initialise({ engine, data, account, durable }) {
  if (fs.existsSync(path.join(data, "PG_VERSION"))) return false;
  const half = `${data}.new`;
  fs.rmSync(half, { recursive: true, force: true });
  fs.mkdirSync(half, { recursive: true, mode: 0o700 });
  const secret = path.join(half, "..", ".password");
  fs.writeFileSync(secret, PASSWORD);
  if (account.uid !== undefined) fs.chownSync(half, account.uid, account.gid);
  const args = ["-D", half, "-U", SUPERUSER, "-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C.UTF-8"];
  try { await run(engine.initdb, durable ? args : [...args, "--no-sync"], { cwd: "/", ...account }); } finally { fs.rmSync(secret); }
  fs.renameSync(half, data);
  return true;
}

/** Starts postgres and resolves when it answers; `stop()` is a fast shutdown. */
export async function startPostgres({ engine, data, account, durable, port, log }) {
  const settings = { ...SETTINGS, ...(durable ? {} : THROW_AWAY), port };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const child = start(engine.postgres, ["-D", data, ...args], { account, log });
  const sql = connect(port, SUPERUSER, { max: 1 });
  try { await until(() => sql`select 1`, { child, what: "Postgres" }); } finally { await sql.end({ timeout: 1 }); }
  return { child, port, stop: () => stop(child, [["SIGINT", 10000], ["SIGQUIT", 5000]]) };
}
