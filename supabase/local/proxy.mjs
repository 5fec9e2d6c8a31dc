// Requests to /rest/v1 go on to PostgREST unchanged but for the key, which becomes the token of its role.
import http from "node:http";

// Idle connections go before PostgREST closes them (after 30 s): a request must not meet a closing one.
const agent = new http.Agent({ keepAlive: true, maxSockets: 128, timeout: 10000 });
const UNAVAILABLE = JSON.stringify({ message: "An invalid response was received from the upstream server" });

function upstream(request, url, bearer, socketPath) {
  const { apikey, host, ...headers } = request.headers;
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  url.searchParams.delete("apikey");
  const query = request.url.includes("apikey=") ? url.search : /\?.*/s.exec(request.url)?.[0] ?? ""; // as the client wrote it
  return { agent, socketPath, method: request.method, path: (url.pathname.replace(/^\/rest\/v1/, "") || "/") + query, headers: { ...headers, host: "rest" } };
}

/** Pipes the request through; a PostgREST that is not there is a 503, as the hosted gateway says it. */
export function proxy(request, response, { socket, url, bearer, headers }) {
  const onward = http.request(upstream(request, url, bearer, socket), (reply) => {
    response.writeHead(reply.statusCode, { ...reply.headers, ...headers });
    reply.on("error", () => response.destroy());
    reply.pipe(response);
  });
  onward.on("error", () => {
    if (response.headersSent) return response.destroy();
    response.writeHead(503, { "content-type": "application/json; charset=utf-8", ...headers });
    response.end(UNAVAILABLE);
  });
  response.on("close", () => { if (!response.writableFinished) onward.destroy(); });
  request.pipe(onward);
}
