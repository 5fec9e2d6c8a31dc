// Rows of auth.users: made, changed and shown as Supabase Auth does.
import { AuthError } from "./errors.mjs";

const EMAIL = /^[^\s@]+@[^\s@]+$/;
const MINIMUM_PASSWORD = 6;

export function checkedEmail(email) {
  const address = String(email ?? "").trim().toLowerCase();
  if (!address) throw new AuthError(400, "validation_failed", "An email address is required");
  if (!EMAIL.test(address)) throw new AuthError(400, "validation_failed", "Unable to validate email address: invalid format");
  return address;
}

export function checkedPassword(password) {
  if (typeof password !== "string" || password === "") throw new AuthError(400, "validation_failed", "Signup requires a valid password");
  if (password.length < MINIMUM_PASSWORD) {
    throw new AuthError(422, "weak_password", "Password should be at least 6 characters.", { weak_password: { reasons: ["length"] } });
  }
  if (Buffer.byteLength(password) > 72) throw new AuthError(400, "validation_failed", "Password cannot be longer than 72 characters");
  return password;
}

const time = (value) => value?.toISOString();

function identity(row) {
  return {
    identity_id: row.id, id: row.provider_id, user_id: row.user_id, identity_data: row.identity_data, provider: row.provider,
    last_sign_in_at: time(row.last_sign_in_at), created_at: time(row.created_at), updated_at: time(row.updated_at), email: row.email,
  };
}

function present(row, identities) {
  return {
    id: row.id, aud: row.aud || "", role: row.role || "", email: row.email ?? "", email_confirmed_at: time(row.email_confirmed_at), phone: row.phone ?? "",
    confirmed_at: time(row.confirmed_at), invited_at: time(row.invited_at), recovery_sent_at: time(row.recovery_sent_at),
    last_sign_in_at: time(row.last_sign_in_at), app_metadata: row.raw_app_meta_data ?? {}, user_metadata: row.raw_user_meta_data ?? {},
    identities: identities.map(identity), created_at: time(row.created_at), updated_at: time(row.updated_at),
    banned_until: time(row.banned_until), deleted_at: time(row.deleted_at), is_anonymous: row.is_anonymous,
  };
}

/** The users of these rows, each with its identities, in the rows' order. */
export async function presentAll(sql, rows) {
  const ids = rows.map((row) => row.id);
  const identities = ids.length ? await sql`select * from auth.identities where user_id in ${sql(ids)} order by created_at` : [];
  return rows.map((row) => present(row, identities.filter((found) => found.user_id === row.id)));
}

export async function findById(sql, id) {
  const [row] = await sql`select * from auth.users where id = ${id} and deleted_at is null`;
  return row;
}

export async function findByEmail(sql, email) {
  const [row] = await sql`select * from auth.users where lower(email) = ${email} and not is_sso_user and deleted_at is null`;
  return row;
}

/** The user as clients see it, read again, so that what triggers wrote shows. */
export async function show(sql, id) {
  const row = await findById(sql, id);
  if (!row) throw new AuthError(404, "user_not_found", "User not found");
  return (await presentAll(sql, [row]))[0];
}

async function addIdentity(sql, id, email, metadata, confirmed) {
  const data = { sub: id, email, email_verified: confirmed, phone_verified: false, ...metadata };
  await sql`insert into auth.identities (provider_id, user_id, identity_data, provider, last_sign_in_at)
    values (${id}, ${id}, ${sql.json(data)}, 'email', now())`;
}

const hash = (sql, password, cost) => (password ? sql`extensions.crypt(${password}, extensions.gen_salt('bf', ${cost}::int))` : null);

function translate(error, duplicate) {
  if (error.code === "23505" && /users_|identities_/.test(error.constraint_name ?? "")) return duplicate;
  console.error(`auth: ${error.message}`);
  return new AuthError(500, "unexpected_failure", "Database error saving new user");
}

/** Inserts a user with its identity in one transaction; a failing trigger undoes both. */
export async function create(sql, { id, email, password, app = {}, user = {}, confirmed, role, cost, duplicate }) {
  const metadata = { provider: "email", providers: ["email"], ...app };
  try {
    return await sql.begin(async (tx) => {
      const [row] = await tx`
        insert into auth.users (id, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, role)
        values (coalesce(${id ?? null}::uuid, gen_random_uuid()), ${email}, coalesce(${hash(tx, password, cost)}, ''), ${confirmed ? tx`now()` : null},
                ${tx.json(metadata)}, ${tx.json(user)}, ${role ?? "authenticated"})
        returning id`;
      await addIdentity(tx, row.id, email, user, confirmed);
      return row.id;
    });
  } catch (error) { throw translate(error, duplicate); }
}

const merged = (old, changes) => Object.fromEntries(Object.entries({ ...old, ...changes }).filter(([, value]) => value !== null));

/** Changes what is given; metadata is merged key by key, and a null removes a key. */
export async function change(sql, row, { email, password, app, user, confirmed, role, bannedUntil, cost }) {
  const changes = { updated_at: new Date() };
  if (email !== undefined) changes.email = email;
  if (app) changes.raw_app_meta_data = sql.json(merged(row.raw_app_meta_data, app));
  if (user) changes.raw_user_meta_data = sql.json(merged(row.raw_user_meta_data, user));
  if (confirmed && !row.email_confirmed_at) changes.email_confirmed_at = new Date();
  if (role) changes.role = role;
  if (bannedUntil !== undefined) changes.banned_until = bannedUntil;
  await sql.begin(async (tx) => {
    await tx`update auth.users set ${tx(changes)} where id = ${row.id}`;
    if (password) await tx`update auth.users set encrypted_password = ${hash(tx, password, cost)} where id = ${row.id}`;
    if (email !== undefined) await tx`update auth.identities set identity_data = identity_data || ${tx.json({ email })} where user_id = ${row.id} and provider = 'email'`;
  });
}

export async function passwordMatches(sql, row, password) {
  if (!row?.encrypted_password) return false;
  const [{ matches }] = await sql`select extensions.crypt(${String(password ?? "")}, ${row.encrypted_password}) = ${row.encrypted_password} as matches`;
  return matches;
}
