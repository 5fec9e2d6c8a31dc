// The admin user API, for the service key only.
import { AuthError } from "./errors.mjs";
import * as users from "./users.mjs";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const UNITS = { s: 1e3, m: 6e4, h: 36e5 };
const taken = () => new AuthError(422, "email_exists", "A user with this email address has already been registered");

async function existing({ sql }, id) {
  if (!UUID.test(id)) throw new AuthError(404, "validation_failed", "user_id must be an UUID");
  const row = await users.findById(sql, id);
  if (!row) throw new AuthError(404, "user_not_found", "User not found");
  return row;
}

/** "none" lifts a ban, "24h" or "1h30m" sets one. */
function bannedUntil(duration) {
  if (duration === undefined) return undefined;
  if (duration === "none") return null;
  const parts = [...String(duration).matchAll(/(\d+(?:\.\d+)?)([smh])/g)];
  if (!parts.length) throw new AuthError(400, "validation_failed", `invalid format for ban duration: ${duration}`);
  return new Date(Date.now() + parts.reduce((total, [, amount, unit]) => total + amount * UNITS[unit], 0));
}

function whole(value, fallback) {
  const number = Number(value ?? fallback);
  if (!Number.isInteger(number) || number < 0) throw new AuthError(400, "validation_failed", "Bad Pagination Parameters");
  return number || fallback;
}

export async function list({ sql, url }) {
  const page = whole(url.searchParams.get("page"), 1), size = Math.min(whole(url.searchParams.get("per_page"), 50), 1000);
  const [{ total }] = await sql`select count(*)::int total from auth.users where deleted_at is null`;
  const rows = await sql`select * from auth.users where deleted_at is null order by created_at desc, id limit ${size} offset ${(page - 1) * size}`;
  const last = Math.max(1, Math.ceil(total / size));
  const link = (to, rel) => `<${url.pathname}?page=${to}&per_page=${size}>; rel="${rel}"`;
  const links = [...(page < last ? [link(page + 1, "next")] : []), link(last, "last")];
  return { headers: { "x-total-count": String(total), link: links.join(", ") }, body: { users: await users.presentAll(sql, rows), aud: "authenticated" } };
}

export async function get(context, id) {
  const row = await existing(context, id);
  return { body: await users.show(context.sql, row.id) };
}

export async function create(context) {
  const { sql, body, cost } = context;
  const email = users.checkedEmail(body.email);
  const password = body.password ? users.checkedPassword(body.password) : null;
  if (await users.findByEmail(sql, email)) throw taken();
  const id = await users.create(sql, {
    id: body.id, email, password, app: body.app_metadata, user: body.user_metadata, confirmed: body.email_confirm === true, role: body.role, cost, duplicate: taken(),
  });
  return { body: await users.show(sql, id) };
}

export async function update(context, id) {
  const { sql, body, cost } = context;
  const row = await existing(context, id);
  const email = body.email === undefined ? undefined : users.checkedEmail(body.email);
  const owner = email && await users.findByEmail(sql, email);
  if (owner && owner.id !== row.id) throw taken();
  const password = body.password === undefined ? undefined : users.checkedPassword(body.password);
  await users.change(sql, row, {
    email, password, app: body.app_metadata, user: body.user_metadata, confirmed: body.email_confirm, role: body.role, bannedUntil: bannedUntil(body.ban_duration), cost,
  });
  return { body: await users.show(sql, row.id) };
}

export async function remove(context, id) {
  const { sql, body } = context;
  const row = await existing(context, id);
  if (body.should_soft_delete) {
    await sql.begin(async (tx) => {
      await tx`update auth.users set deleted_at = now(), email = null, encrypted_password = '' where id = ${row.id}`;
      await tx`delete from auth.sessions where user_id = ${row.id}`;
    });
  } else await sql`delete from auth.users where id = ${row.id}`;
  return { body: {} };
}
