// Brings an empty or older data directory to the roles and system schemas of a hosted project.
import fs from "node:fs/promises";
import path from "node:path";
import { HERE } from "./settings.mjs";
import { connect } from "./postgres.mjs";

const SCRIPTS = [["roles.sql", "supabase_admin"], ["auth.sql", "supabase_auth_admin"], ["storage.sql", "supabase_storage_admin"]];

export async function bootstrap(port) {
  for (const [file, role] of SCRIPTS) {
    const sql = connect(port, role, { max: 1 });
    try { await sql.unsafe(await fs.readFile(path.join(HERE, "bootstrap", file), "utf8")); } finally { await sql.end({ timeout: 1 }); }
  }
}
