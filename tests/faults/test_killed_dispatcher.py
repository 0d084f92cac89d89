"""A dispatcher that is killed, and the next of its host: it goes on before any lease runs out, and parks only what was on the wire."""

import json

import pytest
from django.db import connection

from tests.faults.crash import figure

MESSAGES = 200
AHEAD = ("armed:2", "before_post:40", "mid_post:40", "after_post:40", "before_record:3")
MOST_PARKED = 2  # whose first byte was noted and had not reached the provider


@pytest.fixture(scope="module")
def tally(say):
    found: list[object] = []
    yield found
    say(json.dumps(figure("killed_dispatcher", found, database=connection.vendor)))


@pytest.mark.parametrize("crash_at", AHEAD)
def test_the_next_dispatcher_of_the_host_goes_on_at_once(field, tally, crash_at):
    send = field.send(crash_at, MESSAGES)
    path = field.folder / "dispatchers.log"
    before = len(path.read_text(errors="replace")) if path.exists() else 0
    field.crash(crash_at, leases_run_out=False)
    field.settle(send, crash_at)
    verdict = field.verdict(send, crash_at)
    tally.append(verdict)
    said = path.read_text(errors="replace")[before:]
    assert verdict.good, f"{verdict.sentence}\n{said[-2000:]}"
    assert len(verdict.parked) <= MOST_PARKED
    assert "lease_taken_over" in said
    assert "lease_ran_out" not in said
