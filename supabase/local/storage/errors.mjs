// The error bodies of Supabase Storage: the real status stands in the body, the reply itself is a 400.
export class StorageError extends Error {
  constructor(statusCode, error, message) {
    super(message);
    Object.assign(this, { statusCode, error });
  }
}

export const notFound = (what = "Object") => new StorageError("404", "not_found", `${what} not found`);
export const denied = () => new StorageError("403", "Unauthorized", "new row violates row-level security policy");

/** The reply for an error of ours or of the database. */
export function describe(error) {
  const known = error instanceof StorageError ? error
    : error.code === "42501" ? denied()
    : error.code === "23505" ? new StorageError("409", "Duplicate", "The resource already exists")
    : error.code === "23503" ? notFound("Bucket") : null;
  if (!known) console.error(`storage: ${error.stack}`);
  const { statusCode, error: name, message } = known ?? { statusCode: "500", error: "Internal", message: "Internal Server Error" };
  return { status: known ? 400 : 500, body: { statusCode, error: name, message } };
}
