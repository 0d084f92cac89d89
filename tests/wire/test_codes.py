"""Codes: every one of the documents is known, in words, and unknown ones do no harm."""

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex import codes

SYNCHRONOUS = "7000 7003 7004 7005 7009 7016 7020 7022 7101 7102 7104 7107 7108 7126 7127 8000 8009"
COMMON = "7000 7001 7002 7003 7004 7005 7006 7007 7009 7020 7104 7108 7200"
GENERIC = (
    "1001 1002 7008 7010 7011 7019 7103 7105 7106 7109 7110 7111 7112 7113 7114 7115 7116 7121 7212 7213 7214 7301 7302 7303 "
    "7502 7503 7600 7601"
)
RECEIPTS = (
    "7500 7501 7528 7004 7006 7101 7102 7107 7109 7201 7202 7203 7204 7205 7206 7207 7208 7209 7210 7211 7111 7280 7281 7282 7283 "
    "7284 7302 7513 7518 7607 7720"
)
POLICY = (
    "9000 9001 9002 9003 9004 9005 9006 9007 9010 20001 20002 20003 20004 20005 20006 20007 20008 20010 20012"
)
DOCUMENTED = sorted(set(" ".join((SYNCHRONOUS, COMMON, GENERIC, RECEIPTS, POLICY)).split()))


@pytest.mark.parametrize("code", DOCUMENTED)
def test_documented_code_has_words_and_advice(code):
    found = codes.lookup(code)
    assert code in codes.CODES and found.code == code
    assert found.meaning.endswith(".") and found.advice.endswith(".")


def test_every_cell_of_both_tables_is_one_of_its_words():
    for row in (*codes.CODES.values(), *codes.OWN_CODES.values()):
        assert row.kind in typing.get_args(codes.Kind), row
        assert row.state in typing.get_args(codes.State), row
        assert row.resend in typing.get_args(codes.Resend), row
        assert all((row.code, row.meaning, row.advice)), row


def test_own_codes_can_never_be_taken_for_the_providers():
    assert all(not code.isdigit() and code.islower() for code in codes.OWN_CODES)
    assert all(code.isdigit() for code in codes.CODES)


def test_retry_advice_of_receipts_is_that_of_the_reference():
    later = {code for code in RECEIPTS.split() if codes.lookup(code).resend == "later"}
    assert later == {"7006", "7201", "7202", "7204", "7206", "7207", "7302", "7513"}
    never = {"7004", "7101", "7102", "7107", "7109", "7203", "7205", "7210", "7518"}
    assert {codes.lookup(code).resend for code in never} == {"no"}
    assert [code for code in POLICY.split()[:9] if codes.lookup(code).resend == "later"] == ["9004", "9006"]


def test_states_of_receipts_are_those_of_the_reference():
    assert {code: codes.STATES[code] for code in ("7500", "7501", "7528", "7208", "7101", "9002")} == {
        "7500": "delivered",
        "7501": "submitted",
        "7528": "clicked",
        "7208": "failed",
        "7101": "failed",
        "9002": "failed",
    }


def test_pausing_codes_include_credentials_and_addresses():
    assert {"7001", "7002", "7007", "7010", "7127"} <= codes.PAUSING
    assert not codes.PAUSING & {"7000", "7004", "7020", "7101", "7102"}


@given(st.text(max_size=12))
def test_any_code_is_looked_up_without_an_error_and_unknown_stays_unknown(code):
    found = codes.lookup(code)
    if code not in codes.CODES and code not in codes.OWN_CODES:
        assert (found.kind, found.state, found.resend) == ("unknown", "unknown", "unknown")
        assert found.meaning
