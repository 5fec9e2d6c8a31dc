// Which account runs Postgres, and directories that this account can reach.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { LOCAL, REPO } from "./settings.mjs";

const ROOT = process.getuid() === 0;
const OUTSIDE = path.join("/var/lib/voxanne-local", createHash("sha256").update(REPO).digest("hex").slice(0, 12));

function lookUp(name) {
  const id = (flag) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Who runs Postgres, which refuses to run as root: the caller, or for root whoever owns the data, else an unprivileged account. */
export function accountFor(data) {
  if (!ROOT) return {};
  const owner = fs.existsSync(data) ? fs.statSync(data) : { uid: 0 };
  if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of ["postgres", "nobody", "daemon"]) {
    try { return lookUp(name); } catch { /* no such account: the next one */ }
  }
  throw new Error("Postgres does not run as root, and none of the accounts postgres, nobody and daemon exists");
}

export const reaches = (account, place, right = "x") =>
  account.uid === undefined || spawnSync("/bin/sh", ["-c", `test -${right} "$1"`, "sh", place], { cwd: "/", ...account }).status === 0;

/** A directory that the account can reach, under a root-owned one that lists nothing to others. */
export function outside(name) {
  for (const place of [path.dirname(OUTSIDE), OUTSIDE]) {
    fs.mkdirSync(place, { recursive: true });
    fs.chmodSync(place, 0o711); // whatever the umask is
  }
  return path.join(OUTSIDE, name);
}

/** Where the durable data is: in .local, or, below a home that Postgres' account cannot enter, where .local/data points to. */
export function durableData() {
  const data = path.join(LOCAL, "data");
  fs.mkdirSync(LOCAL, { recursive: true, mode: 0o755 });
  if (fs.existsSync(data)) return fs.realpathSync(data);
  if (reaches(accountFor(data), LOCAL)) return data;
  const elsewhere = outside("data");
  fs.rmSync(data, { force: true });
  fs.symlinkSync(elsewhere, data);
  return elsewhere;
}

/** A throw-away directory that Postgres' account can enter. */
export function throwAway() {
  const parents = [os.tmpdir(), "/tmp", "/var/tmp"];
  const parent = parents.find((place) => fs.existsSync(place) && reaches(accountFor(place + "/none"), place)) ?? os.tmpdir();
  const made = fs.mkdtempSync(path.join(parent, "voxanne-stack-"));
  fs.chmodSync(made, 0o711);
  return fs.realpathSync(made);
}

/** Removes all durable data of this clone. */
export function wipe() {
  fs.rmSync(OUTSIDE, { recursive: true, force: true });
  for (const name of ["data", "data.new", "storage", "stack.json", "postgres.log", "postgrest.log", "redis.log", "webhook-spool"]) {
    fs.rmSync(path.join(LOCAL, name), { recursive: true, force: true });
  }
}
