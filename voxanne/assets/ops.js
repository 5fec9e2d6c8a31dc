// Draws each chart from its table, and fetches the page again and again to take over what is marked as live.
"use strict";
(() => {
  const PATIENCE = 20000, DASHES = [[], [8, 4], [2, 3]];
  const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  const TEXT = "12px system-ui, sans-serif";
  const status = document.getElementById("status"), pause = document.getElementById("pause"), refresh = document.getElementById("refresh");
  const charts = [];
  let timer = 0, underWay = false, ended = false;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const say = (text) => { if (status.textContent !== text) status.textContent = text; };

  function read(plot) {
    const rows = [...document.getElementById(plot.dataset.table).tBodies[0].rows].reverse();
    const cell = (row, column) => { const data = row.cells[column]?.querySelector("data"); return data ? Number(data.value) : null; };
    const columns = plot.dataset.columns.split(",").map(Number);
    return [rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000), ...columns.map((column) => rows.map((row) => cell(row, column)))];
  }

  function axis(more) {
    return { stroke: () => colour("--muted"), font: TEXT, grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, ...more };
  }

  function readOut(plot, names) {
    const line = plot.appendChild(document.createElement("p"));
    line.className = "readout";
    line.setAttribute("aria-hidden", "true");
    return (chart) => {
      const at = chart.cursor.idx;
      line.textContent = at == null ? "" : `${TIME.format(chart.data[0][at] * 1000)} · ` + names.map((name, index) => `${name} ${chart.data[index + 1][at] ?? "–"}`).join(" · ");
    };
  }

  /** A line needs two points: where a minute stands alone, a dot shows it. */
  function alone(chart, series) {
    return chart.data[series].flatMap((value, at, values) => (value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []));
  }

  /** The upright scale and its axis: from nothing to all, to what there is, or by powers of ten. */
  function upright(kind) {
    if (kind === "log") {
      // What is usual and a time-out that is a thousand times as long are both legible.
      const power = (value, round) => 10 ** round(Math.log10(Math.max(value, 0.1)));
      const range = (_, low, high) => [power(low ?? 1, Math.floor), power((high ?? 1) * 1.1, Math.ceil)];
      const splits = (_, __, low, high) => Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, at) => low * 10 ** at);
      return { scale: { distr: 3, range }, axis: { splits } };
    }
    const top = (high) => ({ percent: 100, part: Math.min(100, Math.max(5, high * 1.1)) })[kind] ?? Math.max(5, high * 1.1);
    return { scale: { range: (_, __, high) => [0, top(high ?? 0)] }, axis: {} };
  }

  function draw(plot) {
    const data = read(plot), heads = document.getElementById(plot.dataset.table).tHead.rows[0].cells;
    const columns = plot.dataset.columns.split(",").map(Number);
    const y = upright(plot.dataset.scale);
    const chart = new uPlot({
      width: plot.clientWidth, height: plot.clientHeight, legend: { show: false }, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { drag: { x: false, y: false }, y: false },
      scales: { y: y.scale },
      axes: [axis({ values: (_, ticks) => ticks.map((tick) => TIME.format(tick * 1000)), space: 60, size: 28 }), axis({ size: 52, space: 28, ...y.axis })],
      series: [{}, ...columns.map((_, index) => ({ stroke: () => colour(`--series-${index + 1}`), width: 2, dash: DASHES[index], points: { size: 5, filter: alone } }))],
      hooks: { setCursor: [readOut(plot, columns.map((column) => heads[column].textContent))] },
    }, data, plot);
    charts.push({ plot, chart });
  }

  function redraw() {
    for (const { plot, chart } of charts) chart.setData(read(plot));
  }

  function fit() {
    for (const { plot, chart } of charts) if (plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: plot.clientHeight });
  }

  function takeOver(page) {
    const problems = document.getElementById("problems").textContent;
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
    }
    redraw();
    // The banners are seen by all who see; to a screen reader only what has changed is told.
    const now = document.getElementById("problems").textContent;
    if (now !== problems) document.getElementById("told").textContent = now || "All sources answer again.";
  }

  async function fetchPage() {
    const reply = await fetch("/ops", { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    if (page.getElementById("taken")) return page;
    if (reply.ok || reply.status === 401 || reply.status === 403) return null;
    throw new Error(`status ${reply.status}`);
  }

  function signInAgain() {
    ended = true;
    say("Your session has ended, and the numbers are old. ");
    const link = status.appendChild(document.createElement("a"));
    link.href = "/ops";
    link.textContent = "Sign in again";
  }

  async function update(asked) {
    if (underWay || ended) return;
    underWay = true;
    if (asked) refresh.setAttribute("aria-busy", "true");
    try {
      const page = await fetchPage();
      if (!page) return signInAgain();
      if (status.dataset.failed) { delete status.dataset.failed; say(""); }
      takeOver(page);
    } catch {
      status.dataset.failed = "yes";
      say(`The server does not answer. The numbers are old: ${document.getElementById("taken").textContent.replace(/\s+/g, " ").trim()}. Trying again.`);
    } finally {
      underWay = false;
      refresh.removeAttribute("aria-busy");
    }
  }

  const paused = () => pause.getAttribute("aria-pressed") === "true";
  function schedule() {
    clearInterval(timer);
    timer = setInterval(() => { if (!paused() && !document.hidden) update(); }, Number(pause.dataset.seconds) * 1000);
  }

  for (const plot of document.querySelectorAll(".plot")) draw(plot);
  new ResizeObserver(fit).observe(document.getElementById("main"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(({ chart }) => chart.redraw()));
  pause.hidden = false;
  pause.addEventListener("click", () => {
    pause.setAttribute("aria-pressed", String(!paused()));
    if (!paused()) update();
  });
  refresh.addEventListener("click", (event) => { if (!ended) { event.preventDefault(); update(true); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused()) update(); });
  schedule();
})();
