// A part that dies while the stack runs: told in one line and started again, a few times.
import { setTimeout as sleep } from "node:timers/promises";
import { giveUp } from "./signals.mjs";

const TRIES = 4;
const WITHIN = 60000;
const PAUSE = 300;

/** Counts a death; tells whether there were too many of late. */
function tooOften(service) {
  const now = Date.now();
  service.deaths = [...(service.deaths ?? []).filter((time) => now - time < WITHIN), now];
  return service.deaths.length > TRIES;
}

/** Starts a service again that ended without being asked to; gives the whole stack up when that does not help. */
export async function revive(service, child, { code, signal }) {
  if (!service.wanted || service.child !== child) return;
  const how = signal ?? `exit code ${code}`;
  console.error(`${service.name} has ended unasked (${how}); starting it again.`);
  for (;;) {
    service.register.remove(service.child.pid);
    if (tooOften(service)) return giveUp(`${service.name} ended ${TRIES + 1} times within a minute (${how}), so the stack stops; its log says why.`);
    await sleep(PAUSE * service.deaths.length);
    if (!service.wanted) return;
    try { return await service.launch(); } catch { if (!service.wanted) return; }
    await service.quit();
  }
}
