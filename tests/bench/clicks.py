"""How well and how fast clicks are judged: precision and recall over the labelled set, and microseconds for each click.

`python -m tests.bench.clicks` prints one JSON line for each figure. Precision: of the clicks with this verdict, the share that are truly
so. Recall: of the clicks that are truly so, the share with this verdict. Exits 1 below a target. The set is ours, made by construction
(tests/inbound/README.md), so its figures compare versions of the rules; they say nothing of how often each kind of click occurs.
"""

import atexit
import json
import shutil
import statistics
import sys
import timeit
from collections import Counter

from tests import environment

# `sms.inbound.receipts` loads models, which want settings; no database is opened
atexit.register(shutil.rmtree, environment.isolate(), ignore_errors=True)

import django  # noqa: E402

django.setup()

from sms.inbound.clicks import agents  # noqa: E402
from sms.inbound.clicks.verdicts import RULES, judge  # noqa: E402
from tests.inbound.labelled import Labelled, messages  # noqa: E402

TARGETS = {"human": (0.95, 0.9), "machine": (0.98, 0.9)}
MICROSECONDS = 50
RUNS = 15


def verdicts(labelled: list[Labelled]) -> list[tuple[str, str, str, str]]:
    """(truth, verdict, reason, how) of every click."""
    return [
        (truth, verdict.kind, verdict.reason, how)
        for message in labelled
        for verdict, truth, how in zip(
            judge(message.visits, posted_at=message.posted_at, delivered_at=message.delivered_at),
            message.truths,
            message.hows,
            strict=True,
        )
    ]


def quality(found: list[tuple[str, str, str, str]], kind: str) -> tuple[float, float]:
    """(precision, recall) of one verdict."""
    right = sum(truth == verdict == kind for truth, verdict, _, _ in found)
    given = sum(verdict == kind for _, verdict, _, _ in found)
    true = sum(truth == kind for truth, *_ in found)
    return right / given, right / true


def main() -> int:
    """Print the figures; 1 where one misses its target."""
    labelled = list(messages())
    found = verdicts(labelled)
    missed = False
    for kind, (least_precision, least_recall) in TARGETS.items():
        precision, recall = quality(found, kind)
        missed |= precision < least_precision or recall < least_recall
        figure = {
            "bench": "clicks",
            "verdict": kind,
            "rules": RULES,
            "clicks": len(found),
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "targets": [least_precision, least_recall],
        }
        print(json.dumps(figure), flush=True)
    unsure = Counter(truth for truth, verdict, _, _ in found if verdict == "unsure")
    wrong = Counter(how for truth, verdict, _, how in found if verdict not in (truth, "unsure"))
    print(
        json.dumps(
            {"bench": "clicks", "unsure": dict(unsure), "wrong_by_construction": dict(wrong.most_common())}
        ),
        flush=True,
    )
    for name, before in (
        ("agents seen before", lambda: None),
        ("agents new", agents.agent_of.cache_clear),
    ):
        runs = []
        for _ in range(RUNS):
            before()
            runs.append(timeit.timeit(lambda: verdicts(labelled), number=1) / len(found) * 1e6)
        figure = {
            "bench": "clicks",
            "measured": name,
            "microseconds_per_click": round(statistics.median(runs), 2),
            "target": MICROSECONDS,
        }
        missed |= statistics.median(runs) > MICROSECONDS
        print(json.dumps(figure), flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
