"""A benchmark on each database: a fresh one, and a process of its own for it, since Django knows one.

The benchmark gives its own options and what is to be done; `--only` and what the processes tell each other are added here.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.support.processes import environment

ROOT = Path(__file__).resolve().parents[3]
DATABASES = ("postgresql", "sqlite")
SETTINGS = {
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "DJANGO_SETTINGS_MODULE": "portal.settings",
    "ALLOWED_HOSTS": "127.0.0.1",
}


def on_each(line: argparse.ArgumentParser, one: Callable[[argparse.Namespace], None]) -> None:
    """Run `one` with the options, migrated and ready, in a process for each database; `options.one` names it."""
    line.add_argument("--only", choices=DATABASES)
    line.add_argument("--one", choices=DATABASES, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.one:
        _ready()
        one(options)
        return
    spec = sys.modules["__main__"].__spec__
    assert spec is not None, "run it with python -m"
    for database in DATABASES:
        if options.only in (None, database):
            command = [sys.executable, "-m", spec.name, "--one", database, *sys.argv[1:]]
            with ExitStack() as stack:
                env = _fresh(database, stack)
                subprocess.run(command, cwd=ROOT, env=env, check=True)


def _fresh(database: str, stack: ExitStack) -> dict[str, str]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    url = f"sqlite:///{folder / 'bench.sqlite3'}"
    if database == "postgresql":
        url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
    return dict(environment(folder, url)) | SETTINGS


def _ready() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
