"""No line of a log names a number: whatever was done, in whatever spelling, and whatever broke off."""

import json
import logging

import pytest
import structlog
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from sms.compliance import erasure
from sms.models import Message
from sms.values.msisdn.mention import masked, masked_values
from tests.compliance import planted
from tests.compliance.planted import NATIONAL, NUMBER, SPELLED
from tests.compliance.scan import bare
from tests.support.logs import written_log
from tests.support.sends import BY

NUMBERS = st.sampled_from(["447710000000", "12015550123", "4915112345678", "393401234567"])


def names(text: str) -> bool:
    return NUMBER[3:].encode() in bare(text.encode())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("style", ["json", "console"])
def test_a_run_through_every_place_logs_no_number(style, state_folder):
    with written_log(style) as lines:
        service, _ = planted.everywhere()
        asked = erasure.ask(service, NUMBER, reason="Request 7", by=BY)
        assert erasure.perform(asked, folder=state_folder), asked.waits_for
        log = structlog.get_logger("sms.somewhere")
        try:
            Message.objects.create(
                pk=1, msisdn=NUMBER, text=NATIONAL
            )  # the database's own words, with the row in them
        except IntegrityError as problem:
            log.exception("broke_off", error=repr(problem), row=[NUMBER, {"to": int(NUMBER[1:])}])
        logging.getLogger("somebody.else").warning("to %s, %s and %s", NUMBER, NATIONAL, SPELLED)
        log.warning("asked", url="/search?q=%2B447710000000&to=07710000000")
    said = lines.getvalue().splitlines()
    assert len(said) > 5
    assert [line for line in said if names(line)] == []
    if style == "json":
        assert {"number_erased", "broke_off"} <= {json.loads(line)["event"] for line in said}


@given(NUMBERS, st.sampled_from(["+", "00", "0"]), st.sampled_from(["", " ", "-", " - "]), st.data())
def test_whatever_looks_like_a_number_is_masked_however_it_is_written(digits, head, sign, data):
    cuts = sorted(data.draw(st.sets(st.integers(2, len(digits) - 1), max_size=3)))
    groups = [digits[a:b] for a, b in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    text = f"told {head}{sign.join(groups)}, twice"
    after = masked(text)
    assert digits[3:-3] not in "".join(char for char in after if char.isdigit()), after
    assert after.startswith("told ")
    assert after.endswith(", twice")


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T21:39:17.123456Z",
        "2026-11-26 21:39:17+00:00",
        "3f2504e0-4f89-11d3-9a0c-030512345678",
        "a" * 60 + "0123",
        "send 123456, 10.0.0.12:5432",
        "took 1234.567 s",
        "08:00-18:00",
        "0.0425 EUR",
        "26.11.2026",
    ],
)
def test_what_is_no_number_stays_readable(text):
    assert masked(text) == text


def test_values_are_masked_at_any_depth_and_ids_are_not():
    said = {
        "to": [{"n": 447710000000}],
        "pair": ("+447710000000",),
        "id": 12_345_678,
        "ok": True,
        "none": None,
    }
    assert masked_values(said) == {
        "to": [{"n": "44•••00"}],
        "pair": ("+44•••00",),
        "id": 12_345_678,
        "ok": True,
        "none": None,
    }
