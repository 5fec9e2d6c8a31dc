// /storage/v1: uploads, downloads and signed links over files, as far as recordings need it.
import { claimsOf } from "../auth/sessions.mjs";
import { StorageError, denied, describe, notFound } from "./errors.mjs";
import * as objects from "./objects.mjs";
import { checkSigned, signedPath } from "./signing.mjs";

/** The part of the bytes that a player asks for, or all of them. */
function part(bytes, range) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (!first && !last) return { body: bytes };
  const from = first ? Number(first) : Math.max(0, bytes.length - Number(last));
  const to = first && last ? Math.min(Number(last), bytes.length - 1) : bytes.length - 1;
  if (from > to) return { status: 416, body: Buffer.alloc(0), headers: { "content-range": `bytes */${bytes.length}` } };
  return { status: 206, body: bytes.subarray(from, to + 1), headers: { "content-range": `bytes ${from}-${to}/${bytes.length}` } };
}

async function download({ files, request, url }, row) {
  const { bytes, type, etag } = await objects.read(files, row);
  const name = url.searchParams.get("download"), { headers, ...reply } = part(bytes, request.headers.range);
  const attachment = name === null ? {} : { "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name || row.name.split("/").at(-1))}` };
  const plain = { "content-type": type, "content-length": String(reply.body.length), "accept-ranges": "bytes", etag: etag ?? "", "cache-control": "no-cache" };
  return { ...reply, headers: { ...plain, ...headers, ...attachment } };
}

const visible = (context, bucket, name) => objects.as(context.sql, context.claims, (tx) => objects.find(tx, bucket, name));

async function sign(context, bucket, name) {
  const row = await visible(context, bucket, name);
  return { body: { signedURL: await signedPath(bucket, row.name, context.body().expiresIn) } };
}

async function signMany(context, bucket) {
  const { paths = [], expiresIn } = context.body();
  const one = async (name) => {
    try { await visible(context, bucket, name); } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return { error: "Either the object does not exist or you do not have access to it", path: name, signedURL: null };
    }
    return { error: null, path: name, signedURL: await signedPath(bucket, name, expiresIn) };
  };
  const signed = [];
  for (const name of paths) signed.push(await one(name));
  return { body: signed };
}

async function openSigned(context, bucket, name) {
  await checkSigned(context.url.searchParams.get("token"), bucket, name);
  return download(context, await objects.as(context.sql, { role: "service_role" }, (tx) => objects.find(tx, bucket, name)));
}

async function openPublic(context, bucket, name) {
  const row = await objects.as(context.sql, { role: "service_role" }, async (tx) => {
    const [open] = await tx`select 1 from storage.buckets where id = ${bucket} and public`;
    if (!open) throw notFound("Bucket");
    return objects.find(tx, bucket, name);
  });
  return download(context, row);
}

const get = async (context, bucket, name) => download(context, await visible(context, bucket, name));

async function info(context, bucket, name) {
  const row = await visible(context, bucket, name);
  return { body: {
    id: row.id, name: row.name, version: row.version, bucket_id: bucket, size: row.metadata?.size, content_type: row.metadata?.mimetype, cache_control: row.metadata?.cacheControl,
    etag: row.metadata?.eTag, metadata: row.user_metadata ?? {}, last_modified: row.updated_at, created_at: row.created_at,
  } };
}

const upload = (mustExist) => async (context, bucket, name) => {
  const content = await objects.contentOf(context.request, context.raw);
  const row = await objects.put(context, bucket, name, content, { upsert: context.request.headers["x-upsert"] === "true", mustExist });
  return { body: { Key: `${bucket}/${name}`, Id: row.id } };
};

async function removeOne(context, bucket, name) {
  if (!(await objects.remove(context, bucket, [name])).length) throw notFound();
  return { body: { message: "Successfully deleted" } };
}
const removeMany = async (context, bucket) => ({ body: await objects.remove(context, bucket, context.body().prefixes ?? [""]) });
const list = async (context, bucket) => ({ body: await objects.list(context, bucket, context.body()) });

async function buckets({ sql, claims }, id) {
  const rows = await objects.as(sql, claims, (tx) => tx`select * from storage.buckets order by id`);
  if (!id) return { body: rows };
  const found = rows.find((row) => row.id === id);
  if (!found) throw notFound("Bucket");
  return { body: found };
}

async function addBucket(context) {
  const { id, name = id, public: open = false } = context.body();
  await objects.as(context.sql, context.claims, (tx) => tx`insert into storage.buckets (id, name, public) values (${id ?? name}, ${name}, ${open})`);
  return { body: { name } };
}

// The first that fits; a route that is open needs no token.
const ROUTES = [
  ["GET", /^\/object\/sign\/([^/]+)\/(.+)$/, openSigned, "open"],
  ["GET", /^\/object\/public\/([^/]+)\/(.+)$/, openPublic, "open"],
  ["POST", /^\/object\/sign\/([^/]+)\/(.+)$/, sign],
  ["POST", /^\/object\/sign\/([^/]+)$/, signMany],
  ["POST", /^\/object\/list\/([^/]+)$/, list],
  ["GET", /^\/object\/info(?:\/authenticated)?\/([^/]+)\/(.+)$/, info],
  ["GET", /^\/object\/authenticated\/([^/]+)\/(.+)$/, get],
  ["GET", /^\/object\/([^/]+)\/(.+)$/, get],
  ["POST", /^\/object\/([^/]+)\/(.+)$/, upload(false)],
  ["PUT", /^\/object\/([^/]+)\/(.+)$/, upload(true)],
  ["DELETE", /^\/object\/([^/]+)\/(.+)$/, removeOne],
  ["DELETE", /^\/object\/([^/]+)$/, removeMany],
  ["GET", /^\/bucket(?:\/([^/]+))?$/, buckets],
  ["POST", /^\/bucket$/, addBucket],
];

async function route(context) {
  const method = context.request.method === "HEAD" ? "GET" : context.request.method;
  const path = context.url.pathname.replace(/^\/storage\/v1/, "").replace(/\/$/, "");
  const [found] = ROUTES.filter(([verb, pattern]) => verb === method && pattern.test(path));
  if (!found) throw new StorageError("404", "not_found", `Route ${method}:${path} not found`);
  const [, pattern, handle, open] = found;
  const names = pattern.exec(path).slice(1).map((part) => part && decodeURIComponent(part));
  const claims = open ? null : await claimsOf(context.bearer).catch(() => { throw denied(); });
  return handle({ ...context, claims }, ...names);
}

/** Makes the handler that the door calls with (request, url, bearer, raw body). */
export const storageHandler = ({ sql, files }) => async (request, url, bearer, raw) => {
  const body = () => { try { return JSON.parse(raw.toString() || "{}"); } catch { throw new StorageError("400", "invalid_request", "the body is no JSON"); } };
  try { return await route({ sql, files, request, url, bearer, raw, body }); } catch (error) { return describe(error); }
};
