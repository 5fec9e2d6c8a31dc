/**
 * Rows to a table by COPY, encoded as they are made: nothing is kept but the current block.
 *
 * A table is described by its columns, {name: encoder}; a row is an object with those names. Each COPY statement takes
 * BATCH rows, so that what Postgres keeps per statement (foreign keys to check, transition tables) stays bounded too.
 */
import { pipeline } from "node:stream/promises";

const BATCH = 20_000;
const BLOCK = 1 << 16;
const SPECIAL = /[\\\t\n\r]/;
const ESCAPES = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

const escape = (string) => (SPECIAL.test(string) ? string.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character]) : string);
const orNull = (encode) => (value) => (value === null || value === undefined ? "\\N" : encode(value));

/** Encoders of COPY's text format. `plain` is for numbers, booleans, ids and other strings that need no escaping. */
export const plain = orNull(String);
export const text = orNull(escape);
export const time = orNull((ms) => new Date(ms).toISOString());
export const json = orNull((value) => escape(JSON.stringify(value)));
export const list = orNull((items) => escape(`{${items.map((item) => `"${item.replace(/["\\]/g, "\\$&")}"`).join()}}`));

/** One row as a line of COPY's text format; `columns` is Object.entries of a table's description. */
export function line(columns, row) {
  let result = "";
  for (const [name, encode] of columns) result += (result ? "\t" : "") + encode(row[name]);
  return `${result}\n`;
}

/** Copies `rows` (any iterable) into `table` within transaction `sql`; calls `onRows(count)` after each batch. */
export async function copyRows(sql, table, description, rows, onRows) {
  const columns = Object.entries(description);
  const statement = `copy public.${table} (${Object.keys(description).join()}) from stdin`;
  const cursor = { source: rows[Symbol.iterator](), count: 0 };
  cursor.next = cursor.source.next();
  while (!cursor.next.done) {
    await pipeline(blocks(columns, cursor), await sql.unsafe(statement).writable());
    onRows(cursor.count);
  }
}

/** The next BATCH rows of `cursor` as blocks of text. */
function* blocks(columns, cursor) {
  let block = "";
  for (cursor.count = 0; !cursor.next.done && cursor.count < BATCH; cursor.next = cursor.source.next()) {
    block += line(columns, cursor.next.value);
    cursor.count++;
    if (block.length < BLOCK) continue;
    yield block;
    block = "";
  }
  yield block;
}
