"""The real Supabase CLI, at work on a copy of supabase/, since it writes beside its configuration."""

import os
import shutil
import subprocess
from pathlib import Path

SUPABASE = Path(__file__).parents[2] / "supabase"
MIGRATIONS = sorted(path.name for path in (SUPABASE / "migrations").glob("*.sql"))
PROGRAM = SUPABASE / "local" / "node_modules" / ".bin" / "supabase"


class Cli:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "supabase" / "migrations").mkdir(parents=True)
        shutil.copy(SUPABASE / "config.toml", directory / "supabase")

    def push(self, url: str, migrations: list[str]) -> str:
        """Apply these files, as far as they are not applied yet, and return what was said."""
        for name in migrations:
            shutil.copy(SUPABASE / "migrations" / name, self.directory / "supabase" / "migrations")
        return self.run("db", "push", "--include-all", "--yes", "--db-url", url)

    def run(self, *arguments: str) -> str:
        home = {"HOME": str(self.directory), "XDG_CONFIG_HOME": str(self.directory)}
        quiet = {"SUPABASE_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}
        done = subprocess.run(
            [PROGRAM, *arguments, "--workdir", self.directory],
            env={**os.environ, **home, **quiet},
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
