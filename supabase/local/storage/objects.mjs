// Rows of storage.objects, read and written as the caller, so that row-level security decides.
import { createHash } from "node:crypto";
import { StorageError, denied, notFound } from "./errors.mjs";
import * as files from "./files.mjs";

const ROLES = ["anon", "authenticated", "service_role"];

/** Runs `work` in a transaction with the role and claims of the caller's token. */
export function as(sql, claims, work) {
  if (!ROLES.includes(claims.role)) throw denied();
  return sql.begin(async (tx) => {
    await tx`select set_config('role', ${claims.role}, true), set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
    return work(tx);
  });
}

export async function find(tx, bucket, name) {
  const [row] = await tx`select * from storage.objects where bucket_id = ${bucket} and name = ${name}`;
  if (!row) throw notFound();
  return row;
}

const metadataOf = ({ bytes, type }) => ({
  eTag: `"${createHash("md5").update(bytes).digest("hex")}"`, size: bytes.length, mimetype: type, cacheControl: "no-cache",
  lastModified: new Date().toISOString(), contentLength: bytes.length, httpStatusCode: 200,
});

/** Stores an object; replaces one only with `upsert`. Returns its row. */
export async function put({ sql, files: root, claims }, bucket, name, content, { upsert, mustExist }) {
  const version = await files.save(root, content.bytes);
  const metadata = metadataOf(content), owner = claims.sub ?? null;
  try {
    return await as(sql, claims, async (tx) => {
      const [old] = await tx`select version from storage.objects where bucket_id = ${bucket} and name = ${name}`;
      if (mustExist && !old) throw notFound();
      const [row] = old && (upsert || mustExist)
        ? await tx`update storage.objects set version = ${version}, metadata = ${tx.json(metadata)}, updated_at = now() where bucket_id = ${bucket} and name = ${name} returning *`
        : await tx`insert into storage.objects (bucket_id, name, owner, owner_id, version, metadata)
            values (${bucket}, ${name}, ${owner}, ${owner}, ${version}, ${tx.json(metadata)}) returning *`;
      if (!row) throw denied();
      if (old) await files.drop(root, old.version);
      return row;
    });
  } catch (error) { await files.drop(root, version); throw error; }
}

/** Removes the objects that the caller may remove and returns their rows. */
export async function remove({ sql, files: root, claims }, bucket, names) {
  const rows = await as(sql, claims, (tx) => tx`delete from storage.objects where bucket_id = ${bucket} and name in ${tx(names)} returning *`);
  await Promise.all(rows.map((row) => files.drop(root, row.version)));
  return rows;
}

export const list = ({ sql, claims }, bucket, { prefix = "", limit = 100, offset = 0 }) => as(sql, claims, (tx) => tx`
  select id, name, updated_at, created_at, last_accessed_at, metadata from storage.objects
  where bucket_id = ${bucket} and starts_with(name, ${prefix}) order by name limit ${limit} offset ${offset}`);

/** Bytes and type for a download, or the hosted 404. */
export async function read(root, row) {
  const bytes = await files.load(root, row.version);
  if (!bytes) throw notFound();
  return { bytes, type: row.metadata?.mimetype ?? "application/octet-stream", etag: row.metadata?.eTag };
}

/** The file inside a request: multipart as the clients send it, or the raw body. */
export async function contentOf(request, raw) {
  const type = request.headers["content-type"] ?? "application/octet-stream";
  if (!type.startsWith("multipart/form-data")) return { bytes: raw, type };
  const form = await new Response(raw, { headers: { "content-type": type } }).formData();
  const file = [...form.values()].find((value) => typeof value !== "string");
  if (!file) throw new StorageError("400", "invalid_request", "no file in the form");
  return { bytes: Buffer.from(await file.arrayBuffer()), type: file.type || "application/octet-stream" };
}
