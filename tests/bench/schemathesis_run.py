"""Schemathesis over every operation of the OpenAPI document: what it allows and what it forbids, answered as it says.

`python -m tests.bench.schemathesis_run [--only sqlite|postgresql] [--cases 500] [--part 1/4]` prints one JSON line; a part takes every
fourth operation. Goal: 500 cases per operation, no failure, no 5xx.
"""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests import postgres
from tests.bench.receipts import ROOT
from tests.support.processes import environment


def main() -> None:
    """A process of its own, since Django knows one database."""
    line = argparse.ArgumentParser()
    line.add_argument("--only", choices=("sqlite", "postgresql"), default="sqlite")
    line.add_argument("--cases", type=int, default=500)
    line.add_argument("--part", default="1/1", help="like 2/4")
    line.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.inside:
        sys.exit(run(options))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'bench.sqlite3'}"
        if options.only == "postgresql":
            url = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.server())))
        env = environment(folder, url) | {
            "PUBLIC_URL": "http://127.0.0.1:8000",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "ALLOWED_HOSTS": "*",
        }
        command = [sys.executable, "-m", "tests.bench.schemathesis_run", "--inside", *sys.argv[1:]]
        sys.exit(subprocess.run(command, cwd=ROOT, env=env, check=False).returncode)


def run(options: argparse.Namespace) -> int:
    """On the database of the environment; 1 where anything failed."""
    import django
    from django.core.management import call_command

    django.setup()
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from sms.models import ApiKey
    from tests import network
    from tests.api.v1.fuzzed import fuzz
    from tests.support.partners import a_partner, one_of_everything

    service, partner = a_partner()
    ids = one_of_everything(service)
    ApiKey.objects.update(per_minute=1_000_000)
    part, of = (int(one) for one in options.part.split("/"))
    started = time.monotonic()
    with network.blocked():
        report = fuzz(partner.token, ids=ids, cases=options.cases, part=part - 1, of=of)
    for failure in report.failures:
        print(failure, file=sys.stderr)
    operations = {name.rpartition(" ")[0] for name in report.answered}
    statuses: dict[str, int] = {}
    for name, count in report.answered.items():
        status = name.rpartition(" ")[2]
        statuses[status] = statuses.get(status, 0) + count
    line = {
        "bench": "schemathesis",
        "database": options.only,
        "part": options.part,
        "operations": len(operations),
        "cases_each": options.cases,
        "cases": report.cases,
        "failures": len(report.failures),
        "answers_of_500_and_above": report.broke,
        "by_status": dict(sorted(statuses.items())),
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(line), flush=True)
    return 1 if report.failures or report.broke else 0


if __name__ == "__main__":
    main()
