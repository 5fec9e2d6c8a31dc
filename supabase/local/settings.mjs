// The values that `supabase start` uses by default, so that both stacks are interchangeable.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const HERE = path.dirname(fileURLToPath(import.meta.url));
export const REPO = path.resolve(HERE, "..", "..");
export const LOCAL = path.join(REPO, ".local");

export const JWT_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long";
export const PUBLISHABLE_KEY = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH";
export const SECRET_KEY = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz";
export const PASSWORD = "postgres";
export const SITE_URL = "http://localhost:3000";
export const DOOR_PORT = Number(process.env.LOCAL_SUPABASE_PORT ?? 54321);
export const DATABASE_PORT = Number(process.env.LOCAL_DATABASE_PORT ?? 54322);
export const REDIS_PORT = Number(process.env.LOCAL_REDIS_PORT ?? 6379);
export const VAPI_WEBHOOK_SECRET = "local-webhook-secret-for-development";
export const BUCKET = "call-recordings";

export const databaseUrl = (port, role = "postgres") => `postgresql://${role}:${PASSWORD}@127.0.0.1:${port}/postgres`;
export const doorUrl = (port) => `http://127.0.0.1:${port}`;

/** The names that .env.example explains, filled in for one running stack. */
export function environment({ doorPort, databasePort, redisUrl }) {
  const env = {
    SUPABASE_URL: doorUrl(doorPort),
    SUPABASE_PUBLISHABLE_KEY: PUBLISHABLE_KEY,
    SUPABASE_SERVICE_ROLE_KEY: SECRET_KEY,
    SUPABASE_JWT_SECRET: JWT_SECRET,
    DATABASE_URL: databaseUrl(databasePort),
  };
  return redisUrl ? { ...env, REDIS_URL: redisUrl } : env;
}
