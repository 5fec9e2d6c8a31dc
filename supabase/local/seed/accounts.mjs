import { People } from "./people.mjs";
import { seedFor, uuidOf } from "./random.mjs";

export const PASSWORD = "receptionist";
const ROLES = ["owner", "admin", "manager", "agent", "viewer"];
const WHOLE_TEAMS = 12; // a thousand clinics need not wait for five thousand password hashes
const AT_ONCE = 4;

/** The accounts of a clinic: one for each role (the owner alone after clinic 12) and `members` more agents. */
export function accountsOf(clinic, members) {
  const seed = seedFor(clinic.seed, "accounts");
  const people = new People(seed, clinic.country, 0);
  const roles = clinic.number <= WHOLE_TEAMS ? ROLES : ["owner"];
  const named = roles.map((role) => [role, role]);
  const more = Array.from({ length: members }, (_, index) => [`agent-${String(index + 1).padStart(3, "0")}`, "agent"]);
  return [...named, ...more].map(([box, role], index) => ({
    id: uuidOf(seed, index), email: `${box}@${clinic.domain}`, role, orgId: clinic.orgId, name: people.name(1000 + index),
  }));
}

/** Creates the accounts that `existing` (a set of addresses) lacks, through the Auth admin API; returns how many. */
export async function createAccounts(accounts, existing, { supabaseUrl, serviceKey }) {
  const missing = accounts.filter(({ email }) => !existing.has(email));
  const queue = [...missing];
  const worker = async () => {
    for (let account = queue.shift(); account; account = queue.shift()) await createAccount(account, supabaseUrl, serviceKey);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return missing.length;
}

/** The sign-up trigger reads `app_metadata` and makes the account a member of that organisation in that role. */
async function createAccount({ id, email, role, orgId, name }, supabaseUrl, serviceKey) {
  const response = await fetch(`${supabaseUrl}/auth/v1/admin/users`, {
    method: "POST",
    headers: { apikey: serviceKey, authorization: `Bearer ${serviceKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      id, email, password: PASSWORD, email_confirm: true, app_metadata: { org_id: orgId, role }, user_metadata: { full_name: name },
    }),
  });
  if (!response.ok) throw new Error(`Auth refused the account ${email}: ${response.status} ${(await response.text()).slice(0, 300)}`);
}
