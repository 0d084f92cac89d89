"""How well answers of people are read, over the sentences of `tests/inbound/refusals.txt`, and how fast.

`python -m tests.bench.refusals [--wrong]` prints one JSON line; with `--wrong` also each that is read otherwise than it is labelled.
"""

import argparse
import json
import time
from dataclasses import asdict

import django

from tests import environment

environment.isolate()
django.setup()

from tests.inbound.refusals import answers, figures  # noqa: E402 - reads models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wrong", action="store_true")
    asked, _ = parser.parse_known_args()  # `make bench` hands its own to all
    known = answers()
    started = time.perf_counter()
    found = figures(known)
    seconds = time.perf_counter() - started
    rounded = {name: round(value, 4) for name, value in asdict(found).items()}
    print(json.dumps({"bench": "refusals", **rounded, "answers_a_second": round(len(known) / seconds)}))
    for one in known if asked.wrong else ():
        if one.read_as != one.label:
            print(json.dumps(asdict(one) | {"read_as": one.read_as}, ensure_ascii=False))


if __name__ == "__main__":
    main()
