import { once } from "node:events";
import { createConnection } from "node:net";
import postgres from "postgres";
import { copyRows } from "./copy.mjs";
import { TABLES } from "./tables.mjs";

const LOCK = 7_206_001; // any number that no other program here locks
const ALSO_OWNED = ["service_price_history", "follow_up_tasks", "transfer_queue", "call_tracking", "sms_message_tracking"];

/** One connection to the database at `url`. */
export const connect = (url) => postgres(url, { max: 1, onnotice() {}, connect_timeout: 15, socket: promptSocket });

/** Sends small packets at once: otherwise the end of every short COPY waits 40 ms for an acknowledgement. */
async function promptSocket({ host: [host], port: [port] }) {
  const socket = createConnection({ host, port, noDelay: true });
  await once(socket, "connect");
  return socket;
}

/** The clinics of `orgIds` that hold calls or contacts. */
export async function heldClinics(sql, orgIds) {
  const rows = await sql`
    select id from public.organizations o where id = any(${orgIds}::uuid[]) and (
      exists (select from public.call_logs where org_id = o.id) or exists (select from public.calls where org_id = o.id)
      or exists (select from public.contacts where org_id = o.id))`;
  return new Set(rows.map(({ id }) => id));
}

/**
 * Whether `make run` may leave the database alone: somebody has an organisation in it, and no seed of `orgs` clinics was
 * interrupted. How many clinics a seed wanted stands in the settings of each clinic that it finished.
 */
export async function isInUse(sql) {
  const [{ organizations, demo, wanted, lonely }] = await sql`
    select count(*)::int as organizations, count(*) filter (where settings ? 'demo')::int as demo,
      coalesce(max((settings -> 'demo' ->> 'orgs')::int), 0) as wanted,
      count(*) filter (where settings ? 'demo'
        and not exists (select from public.user_org_roles where org_id = o.id and role = 'owner'))::int as lonely
    from public.organizations o`;
  return organizations > 0 && demo >= wanted && lonely === 0;
}

/** Writes a clinic and all its `rows` ([table, iterable] pairs) in one transaction: it is there whole, or not at all. */
export async function writeClinic(sql, organization, rows, onRows) {
  await sql.begin(async (tx) => {
    await tx.unsafe("set local synchronous_commit = off; set local statement_timeout = 0; set local gin_pending_list_limit = '64MB'");
    await tx`select pg_advisory_xact_lock(${LOCK}, ${organization.number})`;
    await clear(tx, organization.id);
    await saveOrganization(tx, organization);
    for (const [table, items] of rows) await copyRows(tx, table, TABLES[table], items, (count) => onRows(table, count));
  });
}

async function clear(tx, orgId) {
  const tables = [...ALSO_OWNED, ...Object.keys(TABLES).reverse()];
  for (const table of tables) await tx`delete from ${tx(`public.${table}`)} where org_id = ${orgId}`;
}

async function saveOrganization(tx, { id, name, email, timezone, country, settings, createdAt }) {
  await tx`
    insert into public.organizations (id, name, email, timezone, telephony_country, settings, created_at)
    values (${id}, ${name}, ${email}, ${timezone}, ${country}, ${tx.json(settings)}, ${new Date(createdAt)})
    on conflict (id) do update set name = excluded.name, email = excluded.email, timezone = excluded.timezone,
      telephony_country = excluded.telephony_country, settings = excluded.settings, created_at = excluded.created_at`;
}

/** Makes the planner see the new rows, lets index-only scans skip the tables, and files what the search index has pending. */
export async function settle(sql) {
  const tables = Object.keys(TABLES).map((table) => `public.${table}`);
  await sql.unsafe(`vacuum (analyze) ${tables.join(", ")}, public.organizations`);
}

/** The e-mail addresses that have a profile in the organisation. */
export async function memberEmails(sql, orgId) {
  const rows = await sql`select email from public.profiles where org_id = ${orgId}`;
  return new Set(rows.map(({ email }) => email));
}
