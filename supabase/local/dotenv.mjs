// .env: what stands in the environment already wins.
import fs from "node:fs";
import path from "node:path";
import { DOOR_PORT, REPO } from "./settings.mjs";

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?$/;
const LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"];

export function parse(text) {
  const found = text.split(/\r?\n/).map((line) => LINE.exec(line)).filter(Boolean);
  return Object.fromEntries(found.map(([, name, double, single, bare]) => [name, double ?? single ?? bare]));
}

export function loadDotEnv(file = path.join(REPO, ".env")) {
  if (!fs.existsSync(file)) return;
  for (const [name, value] of Object.entries(parse(fs.readFileSync(file, "utf8")))) process.env[name] ??= value;
}

/** Whether the settings name a Supabase other than the embedded one. */
export function remote() {
  if (!process.env.SUPABASE_URL) return false;
  if (!URL.canParse(process.env.SUPABASE_URL)) throw new Error("SUPABASE_URL is not an address such as https://abc.supabase.co");
  const url = new URL(process.env.SUPABASE_URL);
  return !(LOCAL_HOSTS.includes(url.hostname) && url.port === String(DOOR_PORT));
}
