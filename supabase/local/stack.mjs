// Starts the parts in order and stops them in the opposite one.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DATABASE_PORT, DOOR_PORT, LOCAL, REDIS_PORT, databaseUrl, doorUrl, environment } from "./settings.mjs";
import { authHandler } from "./auth/index.mjs";
import { bootstrap } from "./bootstrap.mjs";
import { controlHandler } from "./control.mjs";
import { openDoor } from "./door.mjs";
import { postgresEngine } from "./engines.mjs";
import { migrate } from "./migrate.mjs";
import { accountFor, durableData, throwAway } from "./places.mjs";
import { freePort } from "./ports.mjs";
import { connect, initialise, postgresService } from "./postgres.mjs";
import { postgrestService } from "./postgrest.mjs";
import { redisService, redisUrl } from "./redis.mjs";
import { storageHandler } from "./storage/index.mjs";
import { cancelled } from "./signals.mjs";

export const say = (line) => console.log(`  ${line}`);

async function choosePort(preferred, what, durable) {
  const found = await freePort(durable ? preferred : 0);
  if (durable && found !== preferred) say(`port ${preferred} is taken by another program, so ${what} gets port ${found}`);
  return found;
}

function places(durable) {
  const scratch = throwAway();
  const home = durable ? LOCAL : scratch;
  const data = durable ? durableData() : path.join(scratch, "data");
  const log = (name) => fs.openSync(path.join(home, `${name}.log`), durable ? "w" : "a");
  return { scratch, home, data, log };
}

/** The parts of one stack: `start` fills `parts` as it goes, so that a failure half-way is undone by `stop`. */
export class Stack {
  parts = [];
  services = {};

  constructor({ durable, redis, register }) { Object.assign(this, { durable, redis, register, ...places(durable) }); }

  async begin(key, service) {
    this.parts.push(service);
    this.services[key] = service;
    await service.start();
    cancelled.throwIfAborted();
    return service;
  }

  async database() {
    const { durable, data, scratch, register } = this;
    const account = accountFor(data), engine = postgresEngine(account);
    await initialise({ engine, data, account, durable, scratch, signal: cancelled });
    this.databasePort = await choosePort(DATABASE_PORT, "Postgres", durable);
    const common = { engine, data, account, durable, port: this.databasePort, log: this.log("postgres"), register, cancelled };
    try { await this.begin("postgres", postgresService(common)); } catch (error) { throw this.explained(error, "postgres"); }
    await bootstrap(this.databasePort);
    say(`Postgres on port ${this.databasePort}`);
  }

  async migrations() {
    const count = await migrate(databaseUrl(this.databasePort), cancelled);
    say(count ? `${count} migrations applied` : "migrations are up to date");
  }

  async rest() {
    const socket = path.join(this.scratch, "rest.sock");
    await this.begin("rest", postgrestService({ databasePort: this.databasePort, socket, log: this.log("postgrest"), register: this.register, cancelled }));
    return socket;
  }

  async cache() {
    this.redisPort = await choosePort(REDIS_PORT, "Redis", this.durable);
    await this.begin("redis", redisService({ port: this.redisPort, directory: this.scratch, log: this.log("redis"), register: this.register, cancelled }));
    say(`Redis on port ${this.redisPort}`);
  }

  pool(role, max) {
    const sql = connect(databaseUrl(this.databasePort, role), { max, idle_timeout: 60 });
    this.parts.push({ stop: () => sql.end({ timeout: 0 }) });
    return sql;
  }

  async door(socket) {
    const doorPort = await choosePort(DOOR_PORT, "Supabase", this.durable);
    const handlers = {
      auth: authHandler({ sql: this.pool("supabase_auth_admin", 8), doorUrl: doorUrl(doorPort), cost: this.durable ? 10 : 4 }),
      storage: storageHandler({ sql: this.pool("supabase_storage_admin", 4), files: path.join(this.home, "storage") }),
      ...(this.durable ? {} : { __control: controlHandler(this.services) }),
    };
    this.parts.push(await openDoor({ port: doorPort, handlers, socket }));
    say(`Supabase at ${doorUrl(doorPort)}`);
    this.doorPort = doorPort;
  }

  /** Starts everything and returns the environment for the command. */
  async start() {
    await this.database();
    await this.migrations();
    const [socket] = await Promise.all([this.rest(), this.redis ? this.cache() : null]);
    await this.door(socket);
    return environment({ doorPort: this.doorPort, databasePort: this.databasePort, redisUrl: this.redis ? redisUrl(this.redisPort) : undefined });
  }

  async stop() {
    while (this.parts.length) await this.parts.pop().stop().catch((error) => console.error(error.message));
    fs.rmSync(this.scratch, { recursive: true, force: true });
  }

  /** The error with what the program's own log says last. */
  explained(error, name) {
    const lines = fs.readFileSync(path.join(this.home, `${name}.log`), "utf8").trim().split(os.EOL);
    const last = lines.filter((line) => /FATAL|PANIC|ERROR|HINT/.test(line)).at(-1);
    return last && !error.calledOff ? new Error(`${error.message}: ${last}`) : error;
  }
}
