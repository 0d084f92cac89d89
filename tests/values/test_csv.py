"""Cells of every CSV that leaves: nothing that a spreadsheet of any country would run, and all come back as they were."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.values.csv import armed, csv_line

ACTIVE = "=+-@＝＋－＠"
BEFORE = " '\"\u00a0\u200b\u3000\ufeff"
CELLS = st.text(st.sampled_from([*ACTIVE, *BEFORE, *";|,\t\r\n1a(!"]), max_size=12)


def read(line: str, separator: str = ",") -> list[str]:
    return [cell for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator) for cell in row]


def runs(cell: str) -> bool:
    bare = cell.lstrip(' "\u00a0\u200b\u3000\ufeff')
    return bare[:1] != "" and bare[0] in ACTIVE


@pytest.mark.parametrize("number", ["447700900123", "07700 900123", "0.25"])
def test_a_number_without_a_sign_is_written_as_it_is(number):
    assert csv_line(number) == f"{number}\r\n"


def test_a_number_with_its_sign_is_no_beginning_of_a_formula_that_a_later_cell_goes_on_with():
    """Where the separator is a semicolon, the whole line is one cell."""
    line = csv_line("+447700900123", "5+cmd|' /C calc'!A0")
    assert [one for at in ",;\t|" for one in read(line, at) if runs(one)] == []
    assert armed(read(line)[0]) == "+447700900123"


@pytest.mark.parametrize("sign", ACTIVE)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "'", "\ufeff "])
@pytest.mark.parametrize("behind", ["", "x;", "x\t", "x|", "x\r", "x\n", 'x;"', "x;  "])
def test_what_would_run_begins_with_an_apostrophe(sign, before, behind):
    cell = f"{behind}{before}{sign}1+1"
    line = csv_line("a", cell, "b")
    assert f"{behind[:2]}'" in read(line)[1]
    assert [one for at in ",;\t|" for one in read(line, at) if runs(one)] == []
    assert armed(read(line)[1]) == cell


@given(CELLS)
def test_any_cell_comes_back_as_it_was_and_runs_nowhere(cell):
    line = csv_line("a", cell, "b")
    (_, written, _) = read(line)
    assert armed(written) == cell
    assert not runs(written)
    for separator in ";\t|":
        assert [one for one in line.split(separator)[1:] if runs(one)] == [], separator
