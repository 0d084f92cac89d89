"""A harness that never failed proves nothing: with the protocol broken on purpose, the checker must say so.

The same runs with nothing planted are the crash matrix and `test_frozen.py`; there the records agree.
"""

import pytest

from tests.faults.crash import field_of
from tests.faults.frozen import overtake

MESSAGES = 40


@pytest.fixture(scope="module")
def field(tmp_path_factory, module_database_url):
    """Without a web process: a receipt that comes early would repair what the bug has done, and hide it."""
    with field_of(tmp_path_factory.mktemp("field"), module_database_url, web=False) as made:
        yield made


def killed(field, text, *, crash_at, plant, patience=60.0):
    """A planted dispatcher dies at a point, and planted ones clean up behind it. `patience` in seconds: less where nothing will settle."""
    field.rate = 120  # so that a turn arms a few, not all
    send = field.send(text, MESSAGES)
    field.crash(crash_at, plant=plant)
    field.settle(send, text, plant=plant, patience=patience)
    return field.verdict(send, text)


def test_a_dropped_arm_commit_sends_twice(field):
    verdict = killed(field, "no arm", crash_at="after_post:20", plant="arm_is_not_written")
    assert verdict.duplicates, verdict.sentence
    assert verdict.unarmed, verdict.sentence


def test_a_dropped_arm_commit_is_seen_without_any_crash(field):
    field.rate = 120  # so that a turn arms a few, not all
    send = field.send("no arm, no crash", MESSAGES)
    field.settle(send, "no arm, no crash", plant="arm_is_not_written", patience=60.0)
    verdict = field.verdict(send, "no arm, no crash")
    assert len(verdict.unarmed) == MESSAGES, verdict.sentence
    assert not verdict.duplicates


def test_without_fence_and_guard_a_frozen_dispatcher_sends_twice(field):
    verdict = overtake(field, "no fence", plant="no_fence_and_no_guard", sends_again=True)
    assert verdict.duplicates, verdict.sentence


def test_a_sweep_that_sends_again_sends_twice(field):
    verdict = killed(field, "again", crash_at="after_post:20", plant="sweep_sends_again")
    assert verdict.duplicates, verdict.sentence


def test_a_sweep_that_forgets_loses(field):
    verdict = killed(field, "forgets", crash_at="armed:2", plant="sweep_forgets", patience=3.0)
    assert verdict.lost, verdict.sentence
    assert not verdict.duplicates
