// The REST API: the real PostgREST, on a Unix socket that only the door uses.
import http from "node:http";
import { JWT_SECRET, databaseUrl } from "./settings.mjs";
import { postgrestEngine } from "./engines.mjs";
import { Service, launch } from "./processes.mjs";

const settings = (databasePort, socket) => ({
  PATH: process.env.PATH,
  PGRST_DB_URI: databaseUrl(databasePort, "authenticator"),
  PGRST_DB_SCHEMAS: "public",
  PGRST_DB_EXTRA_SEARCH_PATH: "public,extensions",
  PGRST_DB_ANON_ROLE: "anon",
  PGRST_DB_MAX_ROWS: "1000",
  PGRST_DB_POOL: "20",
  PGRST_JWT_SECRET: JWT_SECRET,
  PGRST_SERVER_UNIX_SOCKET: socket,
  PGRST_LOG_LEVEL: "error",
});

const answers = (socketPath) => new Promise((resolve, reject) => {
  const request = http.request({ socketPath, path: "/", method: "HEAD", agent: false, timeout: 2000 }, (reply) => {
    reply.resume();
    if (reply.statusCode < 500) resolve(); else reject(new Error(`status ${reply.statusCode}`));
  });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  request.on("error", reject).end();
});

/** One PostgREST process; ready when it has read the schema. */
export function postgrestService({ databasePort, socket, log, ...service }) {
  return new Service({
    name: "PostgREST", signal: "SIGTERM", patience: 3000,
    open: () => launch(postgrestEngine(), [], { env: settings(databasePort, socket), log }),
    ready: () => answers(socket),
    ...service,
  });
}
