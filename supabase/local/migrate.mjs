// Applies supabase/migrations with the real Supabase CLI, which needs no login and no Docker for a database of one's own.
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { REPO } from "./settings.mjs";
import { supabaseCli } from "./engines.mjs";
import { withConnection } from "./postgres.mjs";

const run = promisify(execFile);
const SUPABASE = path.join(REPO, "supabase");
const MIGRATIONS = path.join(SUPABASE, "migrations");

const versions = () => (fs.existsSync(MIGRATIONS) ? fs.readdirSync(MIGRATIONS) : [])
  .map((file) => /^(\d+)_.*\.sql$/.exec(file)?.[1]).filter(Boolean);

/** The versions that the CLI has recorded: asking the database is faster than asking the CLI. */
const applied = (url) => withConnection(url, async (sql) => {
  const [{ known }] = await sql`select to_regclass('supabase_migrations.schema_migrations') is not null as known`;
  return new Set(known ? (await sql`select version from supabase_migrations.schema_migrations`).map((row) => row.version) : []);
});

/** The CLI writes beside its config file, so it works in a copy. */
function workdir() {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "voxanne-push-"));
  fs.mkdirSync(path.join(copy, "supabase"));
  fs.copyFileSync(path.join(SUPABASE, "config.toml"), path.join(copy, "supabase", "config.toml"));
  fs.cpSync(MIGRATIONS, path.join(copy, "supabase", "migrations"), { recursive: true });
  return copy;
}

async function push(url, copy, signal) {
  const env = { ...process.env, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", HOME: copy, XDG_CONFIG_HOME: copy, TMPDIR: copy };
  const args = [supabaseCli(), "db", "push", "--db-url", url, "--include-all", "--yes", "--workdir", copy];
  try { await run(process.execPath, args, { env, cwd: copy, signal }); } catch (error) {
    if (error.code === "ABORT_ERR") throw error;
    throw new Error(`supabase db push failed:\n${(error.stderr || error.stdout || error.message).trim()}`);
  }
}

/** Applies what is missing and returns how many files that were. */
export async function migrate(url, signal) {
  const known = await applied(url);
  const missing = versions().filter((version) => !known.has(version));
  if (!missing.length) return 0;
  const copy = workdir();
  try { await push(url, copy, signal); } finally { fs.rmSync(copy, { recursive: true, force: true }); }
  return missing.length;
}
