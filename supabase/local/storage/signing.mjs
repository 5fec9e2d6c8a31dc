// Links that open one object for a while, without a key.
import { SignJWT, jwtVerify } from "jose";
import { JWT_SECRET } from "../settings.mjs";
import { StorageError } from "./errors.mjs";

const KEY = new TextEncoder().encode(JWT_SECRET);

export async function signedPath(bucket, name, expiresIn) {
  const seconds = Number(expiresIn);
  if (!Number.isInteger(seconds) || seconds < 1) throw new StorageError("400", "invalid_request", "body must have required property 'expiresIn', a whole number of seconds");
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({ url: `${bucket}/${name}` }).setProtectedHeader({ alg: "HS256" }).setIssuedAt(now).setExpirationTime(now + seconds).sign(KEY);
  const place = [bucket, ...name.split("/")].map(encodeURIComponent).join("/");
  return `/object/sign/${place}?token=${token}`;
}

/** Fails unless the token was made for exactly this object and is still good. */
export async function checkSigned(token, bucket, name) {
  const { payload } = await jwtVerify(token ?? "", KEY, { algorithms: ["HS256"] }).catch((error) => {
    throw new StorageError("400", "InvalidJWT", error.code === "ERR_JWT_EXPIRED" ? '"exp" claim timestamp check failed' : "invalid signature");
  });
  if (payload.url !== `${bucket}/${name}`) throw new StorageError("400", "InvalidSignature", "The signature does not match the object");
}
