import { parseArgs } from "node:util";

export const USAGE = `node supabase/local/seed/main.mjs [--orgs 12] [--calls 1200] [--seed 1] [--org-calls 01=1000000]...
  [--members N] [--now 2026-01-31T12:00:00Z] [--if-empty] [--replace]

Fills the database with demo clinics. --calls is for each clinic; --org-calls sets another number for one of them. A clinic that
holds calls or contacts already is left as it is, unless --replace is given. --members adds N agents to the team of every clinic.
The same --seed and --now give the same rows. --now is the current hour unless given, so that today has calls (but for the hour
after a clinic's midnight); a clinic has three calls under way at that moment.
--if-empty does nothing in a database that is in use, but finishes an interrupted seed.
Environment: DATABASE_URL, SUPABASE_URL, SUPABASE_SERVICE_ROLE_KEY.`;

const SPEC = {
  orgs: { type: "string", default: "12" }, calls: { type: "string", default: "1200" }, seed: { type: "string", default: "1" },
  members: { type: "string", default: "0" }, "org-calls": { type: "string", multiple: true, default: [] }, now: { type: "string" },
  "if-empty": { type: "boolean", default: false }, replace: { type: "boolean", default: false }, help: { type: "boolean", default: false },
};
const ENVIRONMENT = ["DATABASE_URL", "SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"];
const HOUR = 3_600_000;

/** A mistake in how the program was called, to be shown without a stack trace. */
export class UsageError extends Error {}

/** The settings of one run from the command line and the environment. */
export function readOptions(argv, env) {
  const values = parse(argv);
  if (values.help) return { help: true };
  const missing = ENVIRONMENT.filter((name) => !env[name]);
  if (missing.length) throw new UsageError(`not set in the environment: ${missing.join(", ")}`);
  return {
    orgs: whole(values.orgs, "--orgs", 1), calls: whole(values.calls, "--calls"), seed: whole(values.seed, "--seed"),
    members: whole(values.members, "--members"), orgCalls: orgCalls(values["org-calls"]), now: instant(values.now),
    ifEmpty: values["if-empty"], replace: values.replace,
    databaseUrl: env.DATABASE_URL, supabaseUrl: env.SUPABASE_URL.replace(/\/+$/, ""), serviceKey: env.SUPABASE_SERVICE_ROLE_KEY,
  };
}

function parse(argv) {
  try {
    return parseArgs({ args: argv, options: SPEC }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function whole(text, name, least = 0) {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) throw new UsageError(`${name} must be a whole number from ${least}, not "${text}"`);
  return Number(text);
}

function orgCalls(pairs) {
  return new Map(pairs.map((pair) => {
    const [, number, calls] = /^(?:clinic-)?(\d+)=(\d+)$/.exec(pair) ?? [];
    if (!number) throw new UsageError(`--org-calls must look like 01=1000000, not "${pair}"`);
    return [Number(number), whole(calls, "--org-calls")];
  }));
}

function instant(text) {
  if (text === undefined) return Math.floor(Date.now() / HOUR) * HOUR;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new UsageError(`--now must be a date such as 2026-01-31T12:00:00Z, not "${text}"`);
  return ms;
}
