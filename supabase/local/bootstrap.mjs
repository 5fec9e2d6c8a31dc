// Brings an empty or older data directory to the roles and system schemas of a hosted project.
import fs from "node:fs/promises";
import path from "node:path";
import { HERE, databaseUrl } from "./settings.mjs";
import { withConnection } from "./postgres.mjs";

const SCRIPTS = [["roles.sql", "supabase_admin"], ["auth.sql", "supabase_auth_admin"], ["storage.sql", "supabase_storage_admin"]];

export async function bootstrap(port) {
  for (const [file, role] of SCRIPTS) {
    const script = await fs.readFile(path.join(HERE, "bootstrap", file), "utf8");
    await withConnection(databaseUrl(port, role), (sql) => sql.unsafe(script));
  }
}
