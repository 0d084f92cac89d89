"""The second reading asked on a large scale: seeded bodies, valid, nearly valid and hostile, by the rules they were made for.

`python -m tests.bench.readings [--bodies 20000] [--seed 7] [--against COMMIT]` prints JSON lines: the figures of the rules; how often the
sandbox answers otherwise than its rule says (none is the goal); what our own `/v2/messages` takes that the strict sandbox refuses, and
the reverse; and with a commit, what the sandbox of that commit answers otherwise than today's.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import django

from tests import environment

FOLDER = environment.isolate()
django.setup()

from sms.api.drop_in import body as endpoint  # noqa: E402 - reads models
from sms.api.drop_in.errors import DropInRefused  # noqa: E402
from sms.webex.sandbox.settings import Settings  # noqa: E402
from tests.contract.reading import answering, table  # noqa: E402
from tests.contract.reading.bodies import NOW, Asked, corpus  # noqa: E402
from tests.contract.reading.cases import CASES  # noqa: E402
from tests.environment import ROOT  # noqa: E402


def main() -> None:
    line = argparse.ArgumentParser()
    line.add_argument("--bodies", type=int, default=20_000)
    line.add_argument("--seed", type=int, default=7)
    line.add_argument("--against", metavar="COMMIT")
    options = line.parse_args()
    asked = list(corpus(options.bodies, options.seed, CASES))
    today = [answering.answer(one.raw, NOW.timestamp(), Settings()) for one in asked]
    said({"figure": "rules"} | table.figures())
    wrong = [one for one, answer in zip(asked, today, strict=True) if answer not in one.answers]
    taken = sum(answer.startswith("201") for answer in today)
    said({"figure": "sandbox", "bodies": len(asked), "taken": taken, "otherwise_than_the_rule": len(wrong)})
    said(of_the_endpoint(asked, today))
    if options.against:
        said(of_another(options.against, asked, today))
    shutil.rmtree(FOLDER)


def said(figure: dict[str, object]) -> None:
    print(json.dumps({"bench": "readings"} | figure), flush=True)


def of_the_endpoint(asked: Sequence[Asked], today: Sequence[str]) -> dict[str, object]:
    """By rule, for bodies of one rule; what the catalogue decides later (texts, templates, numbers) counts as taken."""
    more, fewer, codes = Counter[str](), Counter[str](), Counter[str]()
    for one, theirs in zip(asked, today, strict=True):
        ours = read(one.raw)
        if len(one.rules) > 1:
            continue
        [rule] = one.rules
        if ours == "201" and not theirs.startswith("201") and theirs != "7108":
            more[rule] += 1
        elif ours != "201" and theirs.startswith("201"):
            fewer[rule] += 1
        elif ours[:3] != "201" and ours != theirs:
            codes[f"{rule}: {ours} for {theirs}"] += 1
    return {
        "figure": "endpoint",
        "takes_what_the_sandbox_refuses": dict(sorted(more.items())),
        "refuses_what_the_sandbox_takes": dict(sorted(fewer.items())),
        "refuses_with_another_code": dict(sorted(codes.items())),
    }


def read(raw: bytes) -> str:
    try:
        endpoint.read(endpoint.decode(raw), now=NOW)
    except DropInRefused as refusal:
        return f"{refusal.code} {refusal.name.partition(':')[0]}".strip()
    return "201"


def of_another(commit: str, asked: Sequence[Asked], today: Sequence[str]) -> dict[str, object]:
    """What the sandbox of another commit answers otherwise, by the rules of a body."""
    before = answers_of(commit, asked)
    otherwise = Counter[str]()
    for one, then, now in zip(asked, before, today, strict=True):
        if then != now and len(one.rules) == 1:
            otherwise[one.rules[0]] += 1
    count = sum(then != now for then, now in zip(before, today, strict=True))
    rules = dict(sorted(otherwise.items()))
    return {"figure": "against", "commit": commit, "bodies": len(asked), "otherwise": count, "rules": rules}


def answers_of(commit: str, asked: Sequence[Asked]) -> list[str]:
    tree = subprocess.run(["git", "archive", commit, "sms/webex"], cwd=ROOT, capture_output=True, check=True)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(tree.stdout)) as packed:
            packed.extractall(folder, filter="data")
        Path(folder, "sms", "__init__.py").touch()
        done = subprocess.run(
            [sys.executable, answering.__file__, str(NOW.timestamp())],
            input="".join(f"{one.line()}\n" for one in asked),
            env=os.environ | {"PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=True,
        )
    return done.stdout.splitlines()


if __name__ == "__main__":
    main()
