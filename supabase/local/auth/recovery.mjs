// Links that hosted Auth would send by mail: this stack writes them to its own output instead.
import { createHash, randomBytes } from "node:crypto";
import { SITE_URL } from "../settings.mjs";
import { AuthError } from "./errors.mjs";
import * as sessions from "./sessions.mjs";
import * as users from "./users.mjs";

const LIFE = "1 hour";
const expired = () => new AuthError(403, "otp_expired", "Email link is invalid or has expired");
const digest = (email, code) => createHash("sha224").update(email + code).digest("hex");

async function issue(sql, row) {
  const code = String(randomBytes(4).readUInt32BE() % 1e6).padStart(6, "0"), hashed = digest(row.email, code);
  await sql`update auth.users set recovery_token = ${hashed}, recovery_sent_at = now() where id = ${row.id}`;
  return { code, hashed };
}

const link = ({ doorUrl, url }, hashed, type) =>
  `${doorUrl}/auth/v1/verify?token=${hashed}&type=${type}&redirect_to=${encodeURIComponent(url.searchParams.get("redirect_to") ?? SITE_URL)}`;

/** Answers alike for known and unknown addresses, so that nobody learns who has an account. */
export async function recover(context) {
  const email = users.checkedEmail(context.body.email), row = await users.findByEmail(context.sql, email);
  if (row) {
    const { code, hashed } = await issue(context.sql, row);
    console.log(`  Auth would mail ${email}: code ${code}, ${link(context, hashed, "recovery")}`);
  }
  return { body: {} };
}

/** Accounts are confirmed at once, so there is no confirmation to send again. */
export async function resend({ body }) {
  users.checkedEmail(body.email);
  return { body: {} };
}

/** Spends a code or a link's token and opens a session. */
async function spend(context, hashed) {
  const [row] = hashed ? await context.sql`
    update auth.users set recovery_token = '', email_confirmed_at = coalesce(email_confirmed_at, now())
    where recovery_token = ${hashed} and recovery_sent_at > now() - ${LIFE}::interval and deleted_at is null returning id` : [];
  if (!row) throw expired();
  return sessions.open(context.sql, row.id, context.origin);
}

export async function verify(context) {
  const { token_hash: hashed, token, email } = context.body;
  return { body: await spend(context, hashed ?? (token && email ? digest(users.checkedEmail(email), String(token)) : "")) };
}

/** The link itself: back to the site with the session, or the error, behind the #. */
export async function follow(context) {
  const target = context.url.searchParams.get("redirect_to") ?? SITE_URL;
  const location = (fields) => ({ status: 303, headers: { location: `${target}#${new URLSearchParams(fields)}` } });
  try {
    const { user, ...session } = await spend(context, context.url.searchParams.get("token"));
    return location({ ...session, type: context.url.searchParams.get("type") ?? "recovery" });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return location({ error: "access_denied", error_code: error.code, error_description: error.message });
  }
}

/** For the service key: the same link without any mail. */
export async function generateLink(context) {
  const row = await users.findByEmail(context.sql, users.checkedEmail(context.body.email));
  if (!row) throw new AuthError(404, "user_not_found", "User with this email not found");
  const { code, hashed } = await issue(context.sql, row), type = context.body.type ?? "recovery";
  const user = await users.show(context.sql, row.id);
  return { body: { ...user, action_link: link(context, hashed, type), email_otp: code, hashed_token: hashed, verification_type: type, redirect_to: context.body.redirect_to ?? SITE_URL } };
}
