"""SIGSTOP past the lease, then SIGCONT: the fence holds."""

import pytest

from tests.faults.frozen import MESSAGES, overtake


@pytest.mark.parametrize("plant", ["", "no_fence"])
def test_a_dispatcher_that_slept_past_its_lease_sends_nothing_again(field, plant):
    """Without its fence too: what is no longer pending is not armed, which is the second line behind it."""
    verdict = overtake(field, f"frozen {plant}", plant=plant)
    assert verdict.good, verdict.sentence
    assert verdict.arrived + len(verdict.parked) == MESSAGES
