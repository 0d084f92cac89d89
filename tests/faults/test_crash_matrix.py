"""The crash matrix: a dispatcher is killed at each named point, another takes over, and the three records agree.

Run once for each database (`tests/run.py` makes both passes). Prints one line of JSON: points, lost, duplicates, parked; under xdist
each worker prints its share.
"""

import json
from dataclasses import dataclass

import pytest
from django.db import connection

from sms.ledger.crash_points import NAMES
from tests.faults.crash import PARKING, figure

MESSAGES = 60
FRESH = "armed"  # dies as a command line of its own, and by the environment; the others are forked
BATCHES = (1, 50)
RATE = {1: 120, 50: None}  # messages a second: without a contract all single ones would be armed in one turn
# the passage at which each dies, by batch: late enough that something was done, early enough that something is left
NTH = {1: {"armed": 3, "before_post": 20, "mid_post": 20, "after_post": 20, "before_record": 3}, 50: {}}
NTH[1] |= {"record_uncommitted": 3, "recorded": 3}


@dataclass
class Case:
    """One cell."""

    point: str
    batch: int

    @property
    def crash_at(self) -> str:
        return f"{self.point}:{NTH[self.batch].get(self.point, 1)}"

    @property
    def text(self) -> str:
        return f"{self.point} {self.batch}"


@pytest.fixture(scope="module")
def tally(say):
    """What the cases found, printed as one line at the end."""
    found: dict[str, object] = {}
    yield found
    about = {"database": connection.vendor, "points": len({point for point, _ in found})}
    about["batches"] = sorted({batch for _, batch in found})
    say(json.dumps(figure("crash_matrix", list(found.values()), **about)))


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("point", NAMES)
def test_a_death_loses_nothing_and_sends_nothing_twice(field, tally, point, batch):
    case = Case(point, batch)
    field.rate = RATE[batch]
    send = field.send(case.text, MESSAGES, batch=batch)
    if point == "swept":  # somebody must have died before there is anything to sweep
        field.crash("armed")
    field.crash(case.crash_at, fresh=point == FRESH)
    field.settle(send, case.text)
    verdict = field.verdict(send, case.text, parking_allowed=point in PARKING)
    tally[(point, batch)] = verdict
    assert verdict.good, f"{case.crash_at}, batch {batch}: {verdict.sentence}\n{field.log}"
    assert verdict.arrived + len(verdict.parked) >= MESSAGES
