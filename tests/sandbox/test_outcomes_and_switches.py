"""What decides a message's fate in the sandbox: numbers, faults, sign-in and switches."""

import dataclasses

import pytest

from sms.webex.sandbox.outcomes import BY_CODE, CODES, ORDINARY, OUTCOMES, STOPPED, named, outcome_of
from sms.webex.sandbox.receipts import carrier_of
from sms.webex.sandbox.settings import Faults, auths_of, faults_of
from sms.webex.sandbox.switches import TABLE, Switches, listing, switches_of


def switched(**changes: str) -> Switches:
    return dataclasses.replace(Switches(), **changes)


# --- outcomes, faults and switches --------------------------------------------------------------------------------------
def test_a_number_decides_its_messages_fate():
    for end, outcome in OUTCOMES.items():
        assert outcome_of(f"447700900{end}", {}, by_code=False) is outcome
    for other in ("447700900999", "447700901002", "4477009000022", "44770090002", "15550000002"):
        assert outcome_of(other, {}, by_code=False) is ORDINARY
    assert outcome_of("447710007203", {}, by_code=True) is BY_CODE["7203"]
    assert outcome_of("447710007203", {}, by_code=False) is ORDINARY
    assert outcome_of("447700900002", {"447700900002": "scanned"}, by_code=True).name == "scanned"
    assert outcome_of("447700900002", {"447700900002": "7206"}, by_code=True).code == "7206"
    with pytest.raises(ValueError, match="There is no outcome 'x'"):
        named("x")


def test_what_fails_is_not_submitted_before():
    assert {code for code, outcome in BY_CODE.items() if not outcome.submitted} == {
        code for code, (status, _) in CODES.items() if status == "Failed"
    } | {"7501"}
    assert all(not outcome.submitted and outcome.code == code for code, outcome in STOPPED.items())


@pytest.mark.parametrize(
    ("digits", "carrier"),
    [("15551234567", "USTMO"), ("447700900999", "GBVOD"), ("353871234567", "IEVOD"), ("35", ""), ("", "")],
)
def test_carriers(digits, carrier):
    assert carrier_of(digits) == carrier


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("throttle", {"throttle": "1"}),
        ("throttle=400", {"throttle": "7020"}),
        ("throttle=0", {"throttle": ""}),
        ("throttle=500", "429, 7020, or 1"),
        ("auth", {"auth": 1.0}),
        ("auth=0.5", {"auth": 0.5}),
        ("timeout=1", {"timeout": 1.0}),
        ("timeout=0", {"timeout": 0.0}),
        ("timeout=1.01", "from 0 to 1"),
        ("timeout=-0.1", "from 0 to 1"),
        ("timeout", "needs a number"),
        ("slow=100", {"slow": 0.1}),
        ("slow=3600000", {"slow": 3600.0}),
        ("slow=3600001", "up to an hour"),
        ("receipt_delay=-1", "up to an hour"),
        ("typo=1", "There is no fault 'typo'"),
    ],
)
def test_faults(given, found):
    if isinstance(found, str):
        with pytest.raises(ValueError, match=found):
            faults_of([given])
    else:
        assert faults_of([given]) == Faults(**found)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("TN1=Authorization: Basic dTpw", {"TN1": ("Authorization", "Basic dTpw")}),
        ("TN1=X-Key:abc", {"TN1": ("X-Key", "abc")}),
        ("=X-Key: a", None),
        ("TN1=X-Key", None),
        ("TN1=X Key: a", None),
        ("TN1=X-Key: ", None),
    ],
)
def test_auths(given, found):
    if found is None:
        with pytest.raises(ValueError, match="--auth takes"):
            auths_of([given])
    else:
        assert auths_of([given]) == found


def test_switches_are_read_onto_what_was_set_before_and_listed_with_their_choices():
    before = switched(burst="on")
    after = switches_of(["jwt_life=exp"], before)
    assert (after.burst, after.jwt_life) == ("on", "exp")
    assert switches_of([]) == Switches()
    with pytest.raises(ValueError, match="There is no switch 'typo'"):
        switches_of(["typo=1"])
    with pytest.raises(ValueError, match="jwt_life is one of hour, exp"):
        switches_of(["jwt_life=day"])
    shown = listing()
    assert shown.count("\n") == 2 * len(TABLE) - 1
    assert (
        "  jwt_life = hour | exp\n      a token ends an hour after iat, or at exp where it has one" in shown
    )
    assert all(getattr(Switches(), one.name) == one.metadata["choices"][0] for one in TABLE)
