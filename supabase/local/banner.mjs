// What `make run` shows when the app really answers.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE = 60000;
export const ACCOUNT = { email: "owner@clinic-01.example", password: "receptionist" };

const healthy = (app) => new Promise((resolve) => {
  const request = http.get(`${app}/health`, { agent: false, timeout: 2000 }, (reply) => { reply.resume(); resolve(reply.statusCode < 500); });
  request.on("timeout", () => request.destroy());
  request.on("error", () => resolve(false));
});

const line = (app, { SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY }) =>
  `TOKEN=$(curl -s '${SUPABASE_URL}/auth/v1/token?grant_type=password' -H 'apikey: ${SUPABASE_PUBLISHABLE_KEY}' -H 'content-type: application/json' `
  + `-d '${JSON.stringify(ACCOUNT)}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/') && curl -s '${app}/api/calls-dashboard?limit=3' -H "Authorization: Bearer $TOKEN"`;

export const banner = (app, env) => `
Voxanne is ready.
  App        ${app}
  API docs   ${app}/docs
  Operations ${app}/ops
  Supabase   ${env.SUPABASE_URL}
  Database   ${env.DATABASE_URL ?? "(hosted)"}
  Accounts   owner@ admin@ manager@ agent@ viewer@ clinic-01.example and clinic-02.example, password receptionist
  Operators  ${env.OPERATORS || "none (OPERATORS)"}, for /ops and ${app}/api/monitoring/performance; for Prometheus there is /metrics
  Stop       Ctrl-C

Sign in and list three calls:
  ${line(app, env)}
`;

/** Prints the banner once the app is healthy; says nothing if it never gets so. */
export async function announce(app, env) {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(200, null, { ref: false })) {
    if (await healthy(app)) return console.log(banner(app, env));
  }
}
