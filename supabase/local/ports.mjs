// Ports of this machine's loopback address.
import net from "node:net";

const bind = (port, host) => new Promise((resolve, reject) => {
  const server = net.createServer();
  server.once("error", reject);
  server.listen({ port, host, exclusive: true }, () => {
    const { port: bound } = server.address();
    server.close(() => resolve(bound));
  });
});

export const isFree = (port, host = "127.0.0.1") => bind(port, host).then(() => true, () => false);

/** The preferred port if nobody has it, else any free one. */
export const freePort = (preferred = 0) => bind(preferred, "127.0.0.1").catch(() => bind(0, "127.0.0.1"));
