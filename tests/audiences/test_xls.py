"""Old Excel files: what is hidden in them, wherever their container puts it, and an honest word where it cannot be told."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences.files import AudienceError, read, stream
from sms.audiences.files.old_container import workbook_stream
from tests.support.old_workbooks import container, xls
from tests.support.spreadsheets import Formula, Sheet

PEOPLE = [("Mobile", "Name"), ("07700900001", "Ann"), ("07700900002", Formula("1/0", error="#DIV/0!"))]


def test_errors_and_rows_of_a_long_file_are_read():
    people = [*PEOPLE, *((f"07700{at:06}", "x" * 30) for at in range(2_000))]
    audience = read(io.BytesIO(xls(Sheet(people))), name="x", country="GB")
    assert len(audience.recipients) == 2_002
    assert audience.recipients[1].substitutions == {}
    assert audience.findings.errors == 1
    assert audience.findings.tells_hidden


def test_the_container_is_followed_over_its_sectors():
    for size in (1, 4_095, 4_097, 70_000):
        stream_of = bytes(at % 251 for at in range(size))
        assert workbook_stream(container(stream_of, "Book")).startswith(stream_of)


@pytest.mark.parametrize("at", [0x1E, 0x30, 0x4C, 512, 516, 520, 1100])
def test_a_damaged_container_is_no_crash(at):
    content = bytearray(xls(Sheet(PEOPLE, hidden_rows=(2,))))
    content[at : at + 4] = b"\x00\x00\x00\x00" if at < 500 else b"\x01\x00\x00\x00"
    try:
        read(io.BytesIO(bytes(content)), name="x", country="GB")
    except AudienceError as refused:
        assert str(refused)


@given(st.data())
def test_any_damage_is_an_audience_or_an_audience_error(data):
    content = bytearray(xls(Sheet(PEOPLE, hidden_rows=(2,), hidden_columns=(1,))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        list(stream(io.BytesIO(bytes(content)), name="x", country="GB"))
    except AudienceError as refused:
        assert str(refused)


def test_what_cannot_be_told_is_said():
    content = xls(Sheet(PEOPLE, hidden_rows=(2,)))
    row = b"\x08\x02\x10\x00"
    at = content.index(row)
    shorter = content[:at] + b"\x08\x02\x04\x00" + content[at + 4 : at + 8] + content[at + 20 :] + bytes(12)
    try:
        found = read(io.BytesIO(shorter), name="x", country="GB").findings
    except AudienceError as refused:
        assert refused.code == "unreadable"
    else:
        assert not found.tells_hidden
