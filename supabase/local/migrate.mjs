// Applies supabase/migrations with the real Supabase CLI, which needs no login and no Docker for a database of one's own.
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { REPO, databaseUrl } from "./settings.mjs";
import { supabaseCli } from "./engines.mjs";
import { connect } from "./postgres.mjs";

const run = promisify(execFile);
const MIGRATIONS = path.join(REPO, "supabase", "migrations");

const versions = () => (fs.existsSync(MIGRATIONS) ? fs.readdirSync(MIGRATIONS) : [])
  .map((file) => /^(\d+)_.*\.sql$/.exec(file)?.[1]).filter(Boolean);

async function applied(port) {
  const sql = connect(port, "postgres", { max: 1 });
  try {
    return new Set((await sql`select version from supabase_migrations.schema_migrations`).map((row) => row.version));
  } catch (error) {
    if (error.code === "42P01") return new Set();
    throw error;
  } finally { await sql.end({ timeout: 1 }); }
}

/** The CLI writes beside its config file, so it works in a copy. */
function workdir() {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "voxanne-push-"));
  const target = path.join(copy, "supabase");
  fs.mkdirSync(target);
  fs.copyFileSync(path.join(REPO, "supabase", "config.toml"), path.join(target, "config.toml"));
  fs.cpSync(MIGRATIONS, path.join(target, "migrations"), { recursive: true });
  return copy;
}

async function push(url, copy) {
  const env = { ...process.env, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", HOME: copy, XDG_CONFIG_HOME: copy };
  const args = [supabaseCli(), "db", "push", "--db-url", url, "--include-all", "--yes", "--workdir", copy];
  try { await run(process.execPath, args, { env, cwd: copy }); } catch (error) {
    throw new Error(`supabase db push failed:\n${(error.stderr || error.stdout || error.message).trim()}`);
  }
}

/** Applies what is missing and returns how many files that were. */
export async function migrate(port) {
  const known = await applied(port);
  const missing = versions().filter((version) => !known.has(version));
  if (!missing.length) return 0;
  const copy = workdir();
  try { await push(databaseUrl(port), copy); } finally { fs.rmSync(copy, { recursive: true, force: true }); }
  return missing.length;
}
