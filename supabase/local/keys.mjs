// What the gateway of a hosted project does with `apikey` and `Authorization`.
import { SignJWT } from "jose";
import { JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY } from "./settings.mjs";

const KEY = new TextEncoder().encode(JWT_SECRET);

const roleToken = (role) => new SignJWT({ role, iss: "supabase-demo" }).setProtectedHeader({ alg: "HS256", typ: "JWT" }).setExpirationTime("10y").sign(KEY);

const TOKENS = { [PUBLISHABLE_KEY]: await roleToken("anon"), [SECRET_KEY]: await roleToken("service_role") };

const known = (value) => Object.hasOwn(TOKENS, value ?? "");
const present = (value) => (known(value) ? TOKENS[value] : value || undefined);
const isJwt = (value) => value?.split(".").length === 3;

/** The token a request acts with: its bearer, else its api key; sb_... keys stand for a role. Undefined when there is neither. */
export function bearerOf(request, url) {
  const apikey = request.headers.apikey ?? url.searchParams.get("apikey") ?? undefined;
  const sent = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return present(sent ?? apikey);
}

/** Whether the gateway lets a request through at all: some key, and a known one if it is no token. */
export function admitted(request, url) {
  const apikey = request.headers.apikey ?? url.searchParams.get("apikey");
  const sent = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return [apikey, sent].some((value) => known(value) || isJwt(value));
}
