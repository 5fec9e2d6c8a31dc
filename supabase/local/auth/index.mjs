// /auth/v1: the password part of Supabase Auth over the tables of bootstrap/auth.sql.
import { AuthError, describe } from "./errors.mjs";
import * as admin from "./admin.mjs";
import * as recovery from "./recovery.mjs";
import * as sessions from "./sessions.mjs";
import * as users from "./users.mjs";

const invalid = () => new AuthError(400, "invalid_credentials", "Invalid login credentials");
const registered = () => new AuthError(422, "user_already_exists", "User already registered");

async function signUp(context) {
  const { sql, body, cost } = context;
  const email = users.checkedEmail(body.email), password = users.checkedPassword(body.password);
  if (await users.findByEmail(sql, email)) throw registered();
  const id = await users.create(sql, { email, password, user: body.data ?? {}, confirmed: true, cost, duplicate: registered() });
  return { body: await sessions.open(sql, id, context.origin) };
}

async function signIn(context) {
  const { sql, body } = context;
  const row = await users.findByEmail(sql, String(body.email ?? "").trim().toLowerCase());
  if (!await users.passwordMatches(sql, row, body.password)) throw invalid();
  if (row.banned_until > new Date()) throw new AuthError(400, "user_banned", "User is banned");
  if (!row.email_confirmed_at) throw new AuthError(400, "email_not_confirmed", "Email not confirmed");
  return { body: await sessions.open(sql, row.id, context.origin) };
}

async function token(context) {
  const grant = context.url.searchParams.get("grant_type");
  if (grant === "password") return signIn(context);
  if (grant === "refresh_token") return { body: await sessions.refresh(context.sql, context.body.refresh_token, context.issuer) };
  throw new AuthError(400, "invalid_credentials", "unsupported_grant_type");
}

async function user(context) {
  const { sub } = await sessions.currentUser(context.sql, context.bearer);
  const row = await users.findById(context.sql, sub);
  if (!row) throw new AuthError(403, "user_not_found", "User from sub claim in JWT does not exist");
  return row;
}

const getUser = async (context) => ({ body: await users.show(context.sql, (await user(context)).id) });

async function updateUser(context) {
  const { sql, body, cost } = context;
  const row = await user(context);
  const email = body.email ? users.checkedEmail(body.email) : undefined;
  const owner = email && await users.findByEmail(sql, email);
  if (owner && owner.id !== row.id) throw new AuthError(422, "email_exists", "A user with this email address has already been registered");
  const password = body.password ? users.checkedPassword(body.password) : undefined;
  if (password && await users.passwordMatches(sql, row, password)) {
    throw new AuthError(422, "same_password", "New password should be different from the old password.");
  }
  await users.change(sql, row, { email, password, user: body.data, cost });
  return { body: await users.show(sql, row.id) };
}

async function logout(context) {
  await sessions.close(context.sql, await sessions.currentUser(context.sql, context.bearer), context.url.searchParams.get("scope"));
  return { status: 204 };
}

const settings = () => ({ body: {
  external: { email: true, phone: false, google: false, anonymous_users: false }, disable_signup: false, mailer_autoconfirm: true, phone_autoconfirm: false, sms_provider: "", saml_enabled: false,
} });
const health = () => ({ body: { version: "local", name: "GoTrue", description: "Voxanne's local Auth, compatible with Supabase Auth" } });

const ROUTES = {
  "POST /signup": signUp, "POST /token": token, "GET /user": getUser, "PUT /user": updateUser, "POST /logout": logout,
  "POST /recover": recovery.recover, "POST /resend": recovery.resend, "POST /verify": recovery.verify, "GET /verify": recovery.follow,
  "POST /admin/generate_link": recovery.generateLink, "GET /settings": settings, "GET /health": health, "GET /.well-known/jwks.json": () => ({ body: { keys: [] } }),
};
const ADMIN = { "GET ": admin.list, "POST ": admin.create, "GET id": admin.get, "PUT id": admin.update, "DELETE id": admin.remove };

async function requireService({ bearer }) {
  const claims = await sessions.claimsOf(bearer);
  if (claims.role !== "service_role" && claims.role !== "supabase_admin") throw new AuthError(403, "not_admin", "User not allowed");
}

async function route(context) {
  const { method } = context.request, path = context.url.pathname.replace(/^\/auth\/v1/, "").replace(/\/$/, "");
  const [, id] = /^\/admin\/users(?:\/([^/]+))?$/.exec(path) ?? [null, null];
  const found = /^\/admin\/users(\/|$)/.test(path) ? ADMIN[`${method} ${id ? "id" : ""}`] : ROUTES[`${method} ${path}`];
  if (!found) throw new AuthError(404, "not_found", `${method} ${path} is not part of this local Auth`);
  if (path.startsWith("/admin/")) await requireService(context);
  return found(context, id);
}

const parsed = (text) => {
  try { return text ? JSON.parse(text) ?? {} : {}; } catch { throw new AuthError(400, "bad_json", "Could not parse request body as JSON"); }
};

/** Makes the handler that the door calls with (request, url, bearer, raw body). */
export const authHandler = ({ sql, doorUrl, cost }) => async (request, url, bearer, raw) => {
  const issuer = `${doorUrl}/auth/v1`;
  const origin = { issuer, agent: request.headers["user-agent"], address: request.socket.remoteAddress };
  try {
    return await route({ sql, cost, issuer, origin, doorUrl, request, url, bearer, body: parsed(raw.toString()) });
  } catch (error) {
    if (!(error instanceof AuthError)) console.error(`auth: ${error.stack}`);
    return describe(error, request);
  }
};
