// Telling a process from a later one with the same number.
import { execFileSync } from "node:child_process";
import fs from "node:fs";

const LINUX = process.platform === "linux";

/** The fields of /proc/PID/stat after the name, which may itself hold spaces and parentheses. */
const statOf = (pid) => fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");

const ps = (...args) => execFileSync("ps", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** When a process began, in whatever unit the system has; null when there is none (a zombie counts as none). */
export function beginning(pid) {
  try {
    if (!LINUX) return ps("-o", "lstart=", "-p", String(pid)) || null;
    const fields = statOf(pid);
    return fields[0] === "Z" ? null : fields[19];
  } catch { return null; }
}

export const same = ({ pid, began }) => began !== null && beginning(pid) === began;

export function childrenOf(pid) {
  if (!LINUX) return ps("-A", "-o", "pid=,ppid=").split("\n").map((line) => line.trim().split(/\s+/)).filter((pair) => pair[1] === String(pid)).map((pair) => Number(pair[0]));
  return fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((candidate) => {
    try { return statOf(candidate)[1] === String(pid); } catch { return false; }
  });
}

/** Whether any process works in this directory, as every process of a Postgres does in its data directory. */
export function inhabited(directory) {
  if (!LINUX) return true;
  return fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)).some((pid) => {
    try { return fs.readlinkSync(`/proc/${pid}/cwd`) === directory; } catch { return false; }
  });
}
