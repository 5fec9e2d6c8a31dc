"""The spool: what it keeps is on the disk, unreadable to others, and comes out again whatever happens in between."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.conftest import settings_for_tests
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.spool import SqliteSpool

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
RECEIVED = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MARKER = "Maria Santos"
ROOT = Path(__file__).parents[3]

WRITER = """
import sys, datetime, pathlib, time
from voxanne.services.webhooks import spool
from voxanne.services.webhooks.deliveries import Delivery
from voxanne.services.webhooks.spool import SqliteSpool
spool.BUSY_SECONDS = 60
folder, key, name = sys.argv[1:]
spool = SqliteSpool(pathlib.Path(folder), (key,), most_bytes=10**9)
number = 0
print("ready", flush=True)
sys.stdin.readline()
while True:
    now = datetime.datetime.now(datetime.UTC)
    spool.put(Delivery("vapi", None, {"writer": name, "number": number}, now))
    print(number, flush=True)
    number += 1
    time.sleep(0.002)  # else the others hardly get a turn
"""


def make(folder: Path, *keys: str, most_bytes: int = 10**8) -> SqliteSpool:
    return SqliteSpool(folder / "spool", keys or (KEY,), most_bytes=most_bytes)


def delivery(number: int = 0, **more: object) -> Delivery:
    return Delivery("vapi", None, {"number": number, "who": MARKER, **more}, RECEIVED)


def numbers(spool: SqliteSpool) -> list[int]:
    found = []
    while kept := spool.take():
        assert kept.delivery
        found.append(kept.delivery.payload["number"])
        spool.done(kept)
    return found


def test_what_was_put_comes_out_as_it_was_oldest_first(tmp_path: Path) -> None:
    spool = make(tmp_path)
    first = Delivery("vapi", "a0000000-0000-0000-0000-000000000001", {"text": "Grüße\ud7ff", "deep": [{}]}, RECEIVED, 3)
    spool.put(first)
    spool.put(delivery(1))

    kept = make(tmp_path).take()

    assert kept
    assert kept.delivery == Delivery(first.source, first.org_id, first.payload, RECEIVED, 4)
    spool.done(kept)
    assert numbers(spool) == [1]
    assert spool.take() is None
    assert spool.size().events == 0


def test_one_that_failed_goes_behind_the_others_and_counts_its_attempts(tmp_path: Path) -> None:
    spool = make(tmp_path)
    for number in range(3):
        spool.put(delivery(number))
    for _ in range(2):
        kept = spool.take()
        assert kept
        spool.fail(kept)
    assert spool.size().failed == 2
    kept = spool.take()
    assert kept
    assert kept.delivery == Delivery("vapi", None, delivery(2).payload, RECEIVED, 2)
    spool.done(kept)
    kept = spool.take()
    assert kept
    assert kept.delivery
    assert (kept.delivery.payload["number"], kept.delivery.attempts) == (0, 3)


def test_nothing_of_an_event_can_be_read_on_the_disk_and_nobody_else_may_look(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = make(tmp_path)
        spool.put(delivery())
        with spool.draining():
            pass
    finally:
        os.umask(before)
    files = list(spool.folder.iterdir())
    assert {"events.sqlite", "events.sqlite-wal"} <= {file.name for file in files}
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in files)
    assert all(MARKER.encode() not in file.read_bytes() for file in files)


def test_a_folder_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    make(tmp_path).put(delivery())
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


def test_keys_can_be_rotated_while_events_wait(tmp_path: Path) -> None:
    make(tmp_path, KEY).put(delivery(1))
    both = make(tmp_path, OTHER, KEY)
    both.put(delivery(2))
    assert both.rotate() == (1, 0)
    assert both.rotate() == (0, 0)
    assert numbers(make(tmp_path, OTHER)) == [1, 2]


def test_an_event_that_no_key_opens_stays_and_lets_others_pass(tmp_path: Path) -> None:
    make(tmp_path, KEY).put(delivery(1))
    spool = make(tmp_path, OTHER)
    spool.put(delivery(2))
    locked = spool.take()
    assert locked
    assert locked.delivery is None
    readable = spool.take(after=locked)
    assert readable
    assert readable.delivery
    assert spool.take(after=readable) is None
    assert spool.rotate() == (0, 1)
    assert spool.size().events == 2


def test_a_full_spool_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = make(tmp_path, most_bytes=200_000)
    for number in range(1000):
        try:
            spool.put(delivery(number, filler="x" * 5000))
        except sqlite3.OperationalError:
            kept = number
            break
    else:
        pytest.fail("it took everything")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.put(delivery(1000, filler="x" * 5000))
    assert 5 < kept < 40
    assert spool.size().events == kept
    assert sum(file.stat().st_size for file in spool.folder.glob("events.sqlite")) <= 210_000

    first = spool.take()
    assert first
    spool.done(first)
    spool.put(delivery(5000, filler="x" * 5000))
    assert numbers(spool) == [*range(1, kept), 5000]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file, no folder")
    with pytest.raises(NotADirectoryError):
        make(tmp_path).put(delivery())
    with pytest.raises((OSError, sqlite3.Error)):
        SqliteSpool(Path("/proc/spool"), (KEY,), most_bytes=10**8).put(delivery())


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "events.sqlite").write_bytes(b"no database at all" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        make(tmp_path).put(delivery())


def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    spool = make(tmp_path)
    spool.put(delivery(1))
    for file in spool.folder.iterdir():
        file.unlink()
    spool.put(delivery(2))
    assert numbers(make(tmp_path)) == [2]


def test_many_threads_put_and_take(tmp_path: Path) -> None:
    spool = make(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: spool.put(delivery(number)), range(80)))
    assert sorted(numbers(spool)) == list(range(80))


SHARED_BYTES = (510, 0x40000002)
"""The part of its file that SQLite locks as long as somebody has it open: length and start."""
LAST_ONE_OUT = f"""
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *{SHARED_BYTES})
"""


def test_a_thread_that_opens_the_file_takes_no_lock_from_the_others(tmp_path: Path) -> None:
    """Without it another process would take itself for the last one, and delete what has not been moved to the file."""
    spool = make(tmp_path)
    spool.put(delivery(1))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(spool.put, delivery(2)).result()
        command = [sys.executable, "-c", LAST_ONE_OUT, str(spool.folder / "events.sqlite")]
        other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "BlockingIOError" in other.stderr


def test_what_processes_said_they_kept_is_there_after_they_were_killed(tmp_path: Path) -> None:
    folder = str(tmp_path / "spool")
    command = [sys.executable, "-c", WRITER, folder, KEY]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([*command, str(n)], cwd=ROOT, **pipes) for n in range(3)]
    said: set[tuple[str, int]] = set()
    assert [writer.stdout.readline() for writer in writers] == ["ready\n"] * 3
    for writer in writers:
        writer.stdin.close()
    for number in range(5):
        assert [writer.stdout.readline() for writer in writers] == [f"{number}\n"] * 3
        said |= {(str(n), number) for n in range(3)}
    for n, writer in enumerate(writers):
        writer.send_signal(signal.SIGKILL)
        said |= {(str(n), int(line)) for line in writer.stdout if line.strip()}
        writer.wait()
        writer.stdout.close()
    spool, kept = make(tmp_path), set()
    while event := spool.take():
        assert event.delivery
        name, number = event.delivery.payload["writer"], event.delivery.payload["number"]
        assert (name, number) not in kept
        kept.add((name, number))
        spool.done(event)
    assert said <= kept
    # At most the one that each was writing.
    assert len(kept - said) <= 3


def test_one_at_a_time_drains_and_a_dead_one_lets_go(tmp_path: Path) -> None:
    spool, other = make(tmp_path), make(tmp_path)
    holder = (
        "import sys, pathlib, time\nfrom voxanne.services.webhooks.spool import SqliteSpool\n"
        "with SqliteSpool(pathlib.Path(sys.argv[1]), (sys.argv[2],), most_bytes=10**8).draining() as mine:\n"
        "    print(mine, flush=True)\n    time.sleep(60)\n"
    )
    with spool.draining() as mine, other.draining() as too:
        assert mine
        assert not too
    command = [sys.executable, "-c", holder, str(spool.folder), KEY]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "True\n"
    with spool.draining() as mine:
        assert not mine
    process.kill()
    process.wait()
    process.stdout.close()
    with spool.draining() as mine:
        assert mine


def test_only_development_has_a_folder_without_naming_one_and_each_project_its_own(tmp_path: Path) -> None:
    assert settings_for_tests().spool_folder is None
    assert settings_for_tests(webhook_spool_dir=tmp_path).spool_folder == tmp_path
    one, other = (
        settings_for_tests(app_env="development", supabase_url=f"http://127.0.0.1:{port}").spool_folder
        for port in (54321, 54322)
    )
    assert one
    assert other
    assert one != other
    assert one.parent == other.parent == ROOT / ".local" / "webhook-spool"
