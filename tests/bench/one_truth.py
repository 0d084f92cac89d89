"""Random drafts through every place that counts them: page, plan, created messages, bodies. Prints one JSON line; no difference is allowed.

`python -m tests.bench.one_truth [--drafts 10000] [--seed 1]`, on SQLite in a folder of its own.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.support.processes import environment

SHOWN = 20  # differences


def main() -> int:
    """1 where anything differs."""
    line = argparse.ArgumentParser()
    line.add_argument("--drafts", type=int, default=10_000)
    line.add_argument("--seed", type=int, default=1)
    options = line.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment(Path(folder), f"sqlite:///{folder}/bench.sqlite3"))
        os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
        return measure(options)


def measure(options: argparse.Namespace) -> int:
    import logging

    import django
    from django.core.management import call_command
    from django.test.utils import setup_test_environment
    from hypothesis import HealthCheck, Phase, given, seed, settings

    django.setup()
    setup_test_environment()
    logging.disable(logging.WARNING)
    for command in (["migrate"], ["createcachetable"], ["collectstatic", "--no-input"]):
        call_command(*command, verbosity=0)
    from tests.support.one_truth import DraftAtTheDoors, TypedDraft, typed_drafts

    doors, found, count = DraftAtTheDoors(), 0, {"drafts": 0, "sent": 0}
    begun = time.monotonic()

    @seed(options.seed)
    @settings(
        max_examples=options.drafts,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(typed=typed_drafts)
    def one(typed: TypedDraft) -> None:
        nonlocal found
        differences = doors.differences(typed)
        count["drafts"] += 1
        count["sent"] += doors.sent
        found += bool(differences)
        if differences and found <= SHOWN:
            print(json.dumps({"draft": repr(typed), "differences": differences}, ensure_ascii=False))

    one()
    seconds = round(time.monotonic() - begun, 1)
    print(json.dumps({"bench": "one_truth", **count, "differences": found, "target": 0, "seconds": seconds}))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
