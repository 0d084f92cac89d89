"""Crash points: nothing when unset, a death at the nth passage when set, and a misspelled name is refused on either side."""

import pytest

from sms.ledger import crash_points
from tests.faults import crash


def test_unset_is_an_empty_function():
    assert crash_points.chosen("", die=lambda: pytest.fail("died")) is crash_points._pass
    assert crash_points.point is crash_points._pass, "the tests themselves run without crash points"


@pytest.mark.parametrize(("setting", "nth"), [("armed", 1), ("armed:1", 1), ("armed:3", 3)])
def test_it_dies_at_the_nth_passage_of_its_own_point(setting, nth):
    passed: list[int] = []
    deaths: list[int] = []
    point = crash_points.chosen(setting, die=lambda: deaths.append(len(passed)))
    for number in range(1, 6):
        passed.append(number)
        point("claimed")
        point("armed")
    assert deaths == [nth]


def test_the_harness_sets_the_variable_that_is_read():
    assert crash.VARIABLE == crash_points.VARIABLE
    assert set(crash_points.NAMES) >= crash.PARKING


@pytest.mark.parametrize("setting", ["amred", "armed:0", "armed:x", ":1", "armed:1:2"])
def test_a_wrong_setting_is_a_sentence(setting):
    with pytest.raises(ValueError, match="TEXTDESK_CRASH_AT is"):
        crash_points.chosen(setting, die=lambda: None)


def test_a_misspelled_call_is_refused():
    with pytest.raises(ValueError, match="no crash point 'amred'"):
        crash_points.chosen("armed", die=lambda: None)("amred")
