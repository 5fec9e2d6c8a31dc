// Fills a database with demo clinics; see options.mjs for how to call it.
import { accountsOf, createAccounts } from "./accounts.mjs";
import { clinicRows } from "./clinic.mjs";
import { describeClinic } from "./clinics.mjs";
import { connect, heldClinics, isInUse, memberEmails, settle, writeClinic } from "./database.mjs";
import { USAGE, UsageError, readOptions } from "./options.mjs";
import { contactCount } from "./plan.mjs";
import { Progress, duration, group } from "./progress.mjs";
import { uploadRecording } from "./recordings.mjs";

const DAY = 86_400_000;

async function main() {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options.help) return console.log(USAGE);
  const sql = connect(options.databaseUrl);
  try {
    if (options.ifEmpty && (await isInUse(sql))) return;
    await seed(sql, options);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function seed(sql, options) {
  const started = performance.now();
  const clinics = Array.from({ length: options.orgs }, (_, index) => describeClinic(index + 1, options.seed));
  const held = options.replace ? new Set() : await heldClinics(sql, clinics.map(({ orgId }) => orgId));
  const empty = clinics.filter(({ orgId }) => !held.has(orgId));
  const progress = new Progress(empty.reduce((sum, clinic) => sum + rowsOf(clinic, options), 0));
  if (held.size) progress.say(`${held.size} of ${clinics.length} clinics hold calls already and stay as they are (to make them anew: make seed REPLACE=1)`);
  for (const clinic of clinics) {
    if (!held.has(clinic.orgId)) await addClinic(sql, clinic, options, progress);
    await addPeople(sql, clinic, options, progress);
  }
  progress.label = "vacuum and analyze";
  if (empty.length) await settle(sql);
  progress.finish();
  if (empty.length) report(empty, options, performance.now() - started);
}

const callsOf = (clinic, { calls, orgCalls }) => orgCalls.get(clinic.number) ?? calls;
const rowsOf = (clinic, options) => callsOf(clinic, options) + contactCount(callsOf(clinic, options));

async function addClinic(sql, clinic, options, progress) {
  const calls = callsOf(clinic, options);
  await writeClinic(sql, organizationOf(clinic, options), clinicRows(clinic, calls, options.now), (table, rows) => {
    progress.label = `${clinic.handle} ${table}`;
    if (["contacts", "call_logs", "calls"].includes(table)) progress.add(rows);
  });
  await uploadRecording(clinic, options);
}

const organizationOf = (clinic, { seed, orgs, now }) => ({
  number: clinic.number, id: clinic.orgId, name: clinic.name, email: `hello@${clinic.domain}`, timezone: clinic.timezone,
  country: clinic.country, createdAt: now - 400 * DAY,
  settings: { handle: clinic.handle, currency: clinic.currency, demo: { seed, orgs, now: new Date(now).toISOString() } },
});

async function addPeople(sql, clinic, options, progress) {
  progress.label = `${clinic.handle} accounts`;
  await createAccounts(accountsOf(clinic, options.members), await memberEmails(sql, clinic.orgId), options);
}

function report(clinics, options, ms) {
  const calls = clinics.reduce((sum, clinic) => sum + callsOf(clinic, options), 0);
  console.log(`Demo data: ${clinics.length} clinic${clinics.length === 1 ? "" : "s"} with ${group(calls)} calls in ${duration(ms / 1000)}`);
}

main().catch((error) => {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `The seed failed: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
