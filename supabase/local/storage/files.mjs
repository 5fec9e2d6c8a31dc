// The bytes of objects, one file per version; rows of storage.objects point at them.
import { randomUUID } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";

const place = (root, version) => path.join(root, version.slice(0, 2), version);

/** Writes the bytes so that they are on the disk before a row names them. */
export async function save(root, bytes) {
  const version = randomUUID(), file = place(root, version);
  await fs.mkdir(path.dirname(file), { recursive: true });
  const handle = await fs.open(file, "wx", 0o600);
  try { await handle.writeFile(bytes); await handle.sync(); } finally { await handle.close(); }
  return version;
}

export const load = (root, version) => (version ? fs.readFile(place(root, version)).catch(() => null) : null);

export const drop = (root, version) => (version ? fs.rm(place(root, version), { force: true }) : null);
