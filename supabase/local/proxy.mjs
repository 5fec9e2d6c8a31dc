// Requests to /rest/v1 go on to PostgREST unchanged but for the key, which becomes the token of its role.
import http from "node:http";
import { endToEnd, hasBody } from "./hops.mjs";

// Idle connections go before PostgREST closes them (after 30 s): a request must not meet a closing one.
const agent = new http.Agent({ keepAlive: true, maxSockets: 128, timeout: 10000 });
const UNAVAILABLE = JSON.stringify({ message: "An invalid response was received from the upstream server" });

function upstream(request, url, bearer, socketPath) {
  const { apikey, host, ...headers } = endToEnd(request.headers);
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked"; // Node does not add it for DELETE
  url.searchParams.delete("apikey");
  const query = request.url.includes("apikey=") ? url.search : /\?.*/s.exec(request.url)?.[0] ?? ""; // as the client wrote it
  return { agent, socketPath, method: request.method, path: (url.pathname.replace(/^\/rest\/v1/, "") || "/") + query, headers: { ...headers, host: "rest" } };
}

function unavailable(response, headers) {
  if (response.headersSent) return response.destroy();
  response.writeHead(503, { "content-type": "application/json; charset=utf-8", ...headers });
  return response.end(UNAVAILABLE);
}

/** A read that met a kept connection just as it closed may be said again; nothing of the reply may have come. */
const repeatable = (request, onward, response) =>
  onward.reusedSocket && ["GET", "HEAD"].includes(request.method) && !hasBody(request) && !response.headersSent && !response.destroyed;

function send(request, response, options, { headers, again }) {
  const onward = http.request(options, (reply) => {
    response.writeHead(reply.statusCode, { ...endToEnd(reply.headers), ...headers });
    reply.on("error", () => response.destroy());
    reply.pipe(response);
  });
  onward.on("error", () => {
    if (again && repeatable(request, onward, response)) send(request, response, { ...options, agent: false }, { headers, again: false });
    else unavailable(response, headers);
  });
  response.on("close", () => { if (!response.writableFinished) onward.destroy(); });
  if (hasBody(request)) request.pipe(onward); else onward.end();
}

/** Pipes the request through; a PostgREST that is not there is a 503, as the hosted gateway says it. */
export function proxy(request, response, { socket, url, bearer, headers }) {
  send(request, response, upstream(request, url, bearer, socket), { headers, again: true });
}
