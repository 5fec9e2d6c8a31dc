// Checks every Node file here: its syntax, that what it imports exists, and that it uses what it imports.
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { HERE } from "./settings.mjs";

const run = promisify(execFile);
const IMPORT = /^import\s+(?:\*\s+as\s+(\w+)|(\w+)|\{([^}]*)\})\s+from\s+"([^"]+)"/gm;

const sources = fs.readdirSync(HERE, { recursive: true }).filter((name) => name.endsWith(".mjs") && !name.includes("node_modules")).map((name) => path.join(HERE, name));

const exported = (text) => [
  ...[...text.matchAll(/^export\s+(?:async\s+)?(?:const|let|function\*?|class)\s+(\w+)/gm)].map((match) => match[1]),
  ...[...text.matchAll(/^export\s+\{([^}]*)\}/gm)].flatMap((match) => match[1].split(",").map((name) => name.trim().split(/\s+as\s+/).at(-1))),
];

function importProblems(file, text) {
  const problems = [];
  for (const [, all, main, names = "", from] of text.matchAll(IMPORT)) {
    const pairs = names.split(",").map((name) => name.trim()).filter(Boolean).map((name) => name.split(/\s+as\s+/));
    for (const local of [all, main, ...pairs.map((pair) => pair.at(-1))].filter(Boolean)) {
      if (text.match(new RegExp(`\\b${local}\\b`, "g")).length < 2) problems.push(`imports ${local} and does not use it`);
    }
    if (!from.startsWith(".")) continue;
    const target = path.resolve(path.dirname(file), from);
    if (!fs.existsSync(target)) { problems.push(`imports ${from}, which is not there`); continue; }
    const known = exported(fs.readFileSync(target, "utf8"));
    problems.push(...pairs.filter(([name]) => !known.includes(name)).map(([name]) => `imports ${name}, which ${from} does not export`));
  }
  return problems;
}

async function problemsOf(file) {
  const text = fs.readFileSync(file, "utf8");
  const problems = importProblems(file, text);
  text.split("\n").forEach((line, index) => { if (/\s$|\t/.test(line)) problems.push(`line ${index + 1} holds a tab or ends in a blank`); });
  await run(process.execPath, ["--check", file]).catch((error) => problems.push(error.stderr.trim()));
  return problems.map((problem) => `${path.relative(process.cwd(), file)}: ${problem}`);
}

const found = [];
for (const file of sources) found.push(...await problemsOf(file));
for (const problem of found) console.error(problem);
console.log(found.length ? `${found.length} problems in the Node files` : `${sources.length} Node files are fine`);
process.exitCode = found.length ? 1 : 0;
