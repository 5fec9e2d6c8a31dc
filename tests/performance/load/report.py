"""The table of the scenes, for people (Markdown) and for programs (JSON)."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.performance.bench.report import Target
from tests.performance.load.watch import Seen


@dataclass(frozen=True)
class Scene:
    """What one scene came to; the cache's hit rate is a percentage since the program started."""

    name: str
    total: dict[str, Any]
    entries: list[dict[str, Any]]
    errors: list[str]
    seen: Seen
    hit_rate: float
    memory_mb: float


def markdown(scenes: list[Scene], targets: list[Target], facts: dict[str, str]) -> str:
    head = ["scene and request", "requests", "per second", "errors", "p50", "p95", "p99"]
    lines = [
        "# make load",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        "",
        "Times are milliseconds.",
        "",
    ]
    lines += [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    for scene in scenes:
        lines += [_row(f"**{scene.name}**", scene.total)]
        lines += [_row(entry["name"], entry) for entry in scene.entries]
    lines += [
        "",
        "| scene | connections, busy at once, limit | cache hit rate | memory of the program |",
        "|---|--:|--:|--:|",
    ]
    for scene in scenes:
        seen = scene.seen
        lines.append(
            f"| {scene.name} | {seen.connections}, {seen.busy}, {seen.limit} | {scene.hit_rate} % "
            f"| {scene.memory_mb:.0f} MB |"
        )
    lines += [
        "",
        "## Targets",
        "",
        *(f"- {'met   ' if one.met else 'MISSED'} {one.name}: {one.found}" for one in targets),
    ]
    lines += [f"- error: {error}" for scene in scenes for error in scene.errors]
    return "\n".join([*lines, ""])


def _row(name: str, entry: dict[str, Any]) -> str:
    times = " | ".join(f"{entry[key]:.0f}" for key in ("p50", "p95", "p99"))
    return f"| {name} | {entry['requests']} | {entry['per_second']} | {entry['errors']} | {times} |"


def save(directory: Path, scenes: list[Scene], targets: list[Target], cache: str) -> str:
    facts = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.system()}, load {os.getloadavg()[2]:.1f} before",
        "cache": cache,
    }
    text = markdown(scenes, targets, facts)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "load.md").write_text(text)
    found = {"about": facts, "scenes": [asdict(scene) for scene in scenes], "targets": [asdict(one) for one in targets]}
    (directory / "load.json").write_text(json.dumps(found, indent=1))
    return text
