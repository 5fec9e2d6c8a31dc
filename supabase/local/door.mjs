// One door on one port, as the API gateway is in a hosted project.
import http from "node:http";
import { admitted, bearerOf } from "./keys.mjs";
import { proxy } from "./proxy.mjs";

const EXPOSED = "content-range, content-location, content-profile, preference-applied, range-unit, x-total-count, link, x-supabase-api-version, x-sb-error-code, sb-request-id";

/** Any origin may call, on every reply: errors and preflights too. */
function cors(request) {
  return {
    "access-control-allow-origin": request.headers.origin ?? "*",
    "access-control-allow-credentials": "true",
    "access-control-allow-methods": "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS",
    "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "*",
    "access-control-expose-headers": EXPOSED,
    "access-control-max-age": "3600",
    vary: "Origin, Access-Control-Request-Headers",
  };
}

function send(request, response, { status = 200, headers = {}, body }) {
  const raw = Buffer.isBuffer(body) || body === undefined;
  response.writeHead(status, { ...(raw ? {} : { "content-type": "application/json; charset=utf-8" }), ...headers, ...cors(request) });
  response.end(raw ? body : JSON.stringify(body));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const OPEN = ["/auth/v1/.well-known/jwks.json", "/auth/v1/health", "/auth/v1/verify", "/storage/v1/object/sign/", "/storage/v1/object/public/"];
const needsKey = (request, url) => !(request.method !== "POST" && OPEN.some((prefix) => url.pathname.startsWith(prefix)));

async function answer(request, response, { handlers, socket }) {
  const url = new URL(request.url, "http://door");
  const reply = (content) => send(request, response, content);
  if (request.method === "OPTIONS") return reply({ status: 204 });
  const service = /^\/(rest|auth|storage)\/v1(?=\/|$)/.exec(url.pathname)?.[1] ?? /^\/(__control)\//.exec(url.pathname)?.[1];
  if (!service || (service !== "rest" && !handlers[service])) {
    return reply(url.pathname === "/" ? { body: { name: "voxanne local supabase" } } : { status: 404, body: { message: "no Route matched with those values" } });
  }
  if (service !== "__control" && needsKey(request, url) && !admitted(request, url)) {
    return reply({ status: 401, body: { message: "No API key found in request", hint: "No `apikey` request header or url param was found." } });
  }
  const bearer = bearerOf(request, url);
  if (service === "rest") return proxy(request, response, { socket, url, bearer, headers: cors(request) });
  return reply(await handlers[service](request, url, bearer, await bodyOf(request)));
}

/** Opens the door; `handlers` maps auth, storage and __control to functions, `socket` is PostgREST's. */
export function openDoor({ port, handlers, socket }) {
  const server = http.createServer((request, response) => {
    answer(request, response, { handlers, socket }).catch((error) => {
      console.error(`door: ${error.stack}`);
      if (!response.headersSent) send(request, response, { status: 500, body: { message: "An unexpected error occurred" } });
    });
  });
  server.keepAliveTimeout = 65000;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve({
      port: server.address().port, server,
      stop: () => new Promise((done) => { server.close(done); server.closeAllConnections(); }),
    }));
  });
}
