// The error bodies of Supabase Auth, in the spelling that the client asked for.
export class AuthError extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    Object.assign(this, { status, code, extra });
  }
}

const VERSION = "2024-01-01";

/** Status, headers and body for an error; a client that names the newer API version gets the code as a string. */
export function describe(error, request) {
  const known = error instanceof AuthError ? error : new AuthError(500, "unexpected_failure", "Unexpected failure, please check server logs for more information");
  const headers = { "x-sb-error-code": known.code };
  if (request.headers["x-supabase-api-version"] === VERSION) {
    return { status: known.status, headers: { ...headers, "x-supabase-api-version": VERSION }, body: { code: known.code, message: known.message, ...known.extra } };
  }
  return { status: known.status, headers, body: { code: known.status, error_code: known.code, msg: known.message, ...known.extra } };
}
