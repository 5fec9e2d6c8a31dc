// Redis without persistence: what it holds can be computed again.
import net from "node:net";
import { redisEngine } from "./engines.mjs";
import { Service, launch } from "./processes.mjs";

const answers = (port) => new Promise((resolve, reject) => {
  const socket = net.connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
  socket.setTimeout(2000, () => socket.destroy(new Error("no answer")));
  socket.once("data", (reply) => { socket.destroy(); if (String(reply).startsWith("+PONG")) resolve(); else reject(new Error(String(reply))); });
  socket.once("error", reject);
});

export const redisUrl = (port) => `redis://127.0.0.1:${port}/0`;

/** One redis-server process; ready when it answers PING. */
export function redisService({ port, directory, log, ...service }) {
  const args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", directory];
  return new Service({
    name: "Redis", signal: "SIGTERM", patience: 3000,
    open: () => launch(redisEngine(), args.map(String), { log }),
    ready: () => answers(port),
    ...service,
  });
}
