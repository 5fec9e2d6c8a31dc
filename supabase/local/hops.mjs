// Headers that are about one connection only (RFC 9110, 7.6.1): each side of the door has its own.
const HOP = new Set(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"]);

/** The headers that are for the other end: neither about this connection nor named by its Connection header. */
export function endToEnd(headers) {
  const named = new Set(String(headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name) && !name.startsWith("proxy-") && !named.has(name)));
}

export const hasBody = ({ headers }) => headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
