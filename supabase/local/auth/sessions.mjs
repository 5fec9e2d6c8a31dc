// Access tokens and rotating refresh tokens.
import { randomBytes } from "node:crypto";
import { SignJWT, jwtVerify } from "jose";
import { AuthError } from "./errors.mjs";
import { JWT_SECRET } from "../settings.mjs";
import { show } from "./users.mjs";

const KEY = new TextEncoder().encode(JWT_SECRET);
const LIFE = 3600;
const REUSE_INTERVAL = 10;

const newToken = () => randomBytes(9).toString("base64url");

async function accessToken(user, session, issuer, now) {
  const claims = {
    email: user.email, phone: user.phone, app_metadata: user.app_metadata, user_metadata: user.user_metadata, role: user.role || "authenticated",
    aal: "aal1", amr: [{ method: session.method ?? "password", timestamp: Math.floor(session.created_at / 1000) }], session_id: session.id, is_anonymous: user.is_anonymous,
  };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setIssuer(issuer).setSubject(user.id).setAudience("authenticated")
    .setIssuedAt(now).setExpirationTime(now + LIFE).sign(KEY);
}

async function reply(sql, session, refreshToken, issuer) {
  const user = await show(sql, session.user_id);
  const now = Math.floor(Date.now() / 1000);
  const token = await accessToken(user, session, issuer, now);
  return { access_token: token, token_type: "bearer", expires_in: LIFE, expires_at: now + LIFE, refresh_token: refreshToken, user };
}

async function addRefreshToken(sql, session, parent = null) {
  const token = newToken();
  await sql`insert into auth.refresh_tokens (token, user_id, session_id, parent) values (${token}, ${session.user_id}, ${session.id}, ${parent})`;
  return token;
}

/** Starts a session: what sign-up and sign-in answer. */
export async function open(sql, userId, { issuer, agent, address }) {
  const [session] = await sql`insert into auth.sessions (user_id, user_agent, ip) values (${userId}, ${agent ?? null}, ${address ?? null}) returning *`;
  await sql`update auth.users set last_sign_in_at = now(), updated_at = now() where id = ${userId}`;
  return reply(sql, session, await addRefreshToken(sql, session), issuer);
}

const used = () => new AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used");

/** A spent token answers with its successor for a few seconds (two tabs at once), then ends the session as stolen. */
async function successor(tx, row) {
  const [child] = await tx`select token, session_id from auth.refresh_tokens where session_id = ${row.session_id} and not revoked order by id desc limit 1`;
  if (child && Date.now() - row.updated_at < REUSE_INTERVAL * 1000) return child.token;
  await tx`update auth.refresh_tokens set revoked = true, updated_at = now() where session_id = ${row.session_id} and not revoked`;
  return null;
}

async function rotate(sql, token) {
  return sql.begin(async (tx) => {
    const [row] = await tx`select * from auth.refresh_tokens where token = ${token} for update`;
    if (!row) throw new AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
    const [session] = await tx`select s.*, u.banned_until from auth.sessions s join auth.users u on u.id = s.user_id where s.id = ${row.session_id}`;
    if (session.banned_until > new Date()) throw new AuthError(400, "user_banned", "Invalid Refresh Token: User Banned");
    if (row.revoked) return { session, next: await successor(tx, row) };
    await tx`update auth.refresh_tokens set revoked = true, updated_at = now() where id = ${row.id}`;
    await tx`update auth.sessions set refreshed_at = now(), updated_at = now() where id = ${session.id}`;
    return { session, next: await addRefreshToken(tx, session, token) };
  });
}

export async function refresh(sql, token, issuer) {
  if (!token) throw new AuthError(400, "validation_failed", "refresh_token required");
  const { session, next } = await rotate(sql, String(token));
  if (!next) throw used();
  return reply(sql, session, next, issuer);
}

/** The claims of a valid access token; a bad one is a 403, as Auth answers. */
export async function claimsOf(token) {
  if (!token) throw new AuthError(401, "no_authorization", "This endpoint requires a Bearer token");
  try {
    return (await jwtVerify(token, KEY, { algorithms: ["HS256"] })).payload;
  } catch (error) {
    const why = error.code === "ERR_JWT_EXPIRED" ? "token has invalid claims: token is expired" : "token is malformed or its signature is invalid";
    throw new AuthError(403, "bad_jwt", `invalid JWT: unable to parse or verify signature, ${why}`);
  }
}

export async function close(sql, claims, scope) {
  if (scope === "local") return sql`delete from auth.sessions where id = ${claims.session_id}`;
  if (scope === "others") return sql`delete from auth.sessions where user_id = ${claims.sub} and id <> ${claims.session_id}`;
  return sql`delete from auth.sessions where user_id = ${claims.sub}`;
}

/** The user id behind a token whose session still exists. */
export async function currentUser(sql, token) {
  const claims = await claimsOf(token);
  if (!claims.sub) throw new AuthError(403, "bad_jwt", "invalid claim: missing sub claim");
  if (claims.session_id) {
    const [session] = await sql`select id from auth.sessions where id = ${claims.session_id}`;
    if (!session) throw new AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist");
  }
  return claims;
}
