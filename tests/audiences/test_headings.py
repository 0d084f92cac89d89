"""Where the headings stand: below a title, a date and an empty row, in files and in a paste; and no recipient vanishes above them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences.files import AudienceError, ReadingChoices, read, read_pasted
from tests.support.spreadsheets import MAKERS, Sheet

NUMBERS = ["07700900001", "07700900002", "07700900003"]


def csv(*lines, **options):
    column = options.pop("column", None)
    return read(
        io.BytesIO("\n".join(lines).encode()),
        name="x.csv",
        country="GB",
        column=column,
        choices=ReadingChoices(**options),
    )


@pytest.mark.parametrize(
    ("above", "headings", "rows_above"),
    [
        (["Spring list,,", ",,"], "Customer,Mobile,Order", 1),
        (["Spring list", ""], "Customer,Mobile,Order", 1),
        (["Mobile campaign spring", "Numbers of our members,,"], "Customer,Mobile,Order", 2),
        (["Report,2026-11-01,", "Made by,Ann,", "Rows,3,", ",,"], "Customer,Mobile number,Order", 3),
        (["Liste,,"], "Kunde,Telefon,Auftrag", 1),
        (["Liste,,", "Stand,heute,"], "Kunde,Rufnr.,Auftrag", 2),
        ([], "Customer,Mobile,Order", 0),
        ([], "Kunde,Telefon,Auftrag", 0),
    ],
)
def test_headings_below_a_title_are_found(above, headings, rows_above):
    audience = csv(*above, headings, *(f"Ann,{number},A1" for number in NUMBERS))
    assert audience.headings == headings.split(",")
    assert [one.msisdn[-1] for one in audience.recipients] == ["1", "2", "3"]
    assert not audience.rejects
    found = audience.findings
    assert (found.rows_above, found.heading_row) == (rows_above, len(above) + 1)
    assert [one.row for one in audience.recipients] == [found.heading_row + at for at in (1, 2, 3)]


def test_a_first_number_with_a_typing_error_does_not_become_a_heading():
    for first in ("077,Ann", "0770090000123456,Ann", "n/a,Ann"):
        audience = csv("Mobile,Name", first, "07700900002,Ben")
        assert audience.headings == ["Mobile", "Name"]
        assert [one.row for one in audience.rejects] == [2]


def test_a_number_above_what_looks_like_headings_has_to_be_decided():
    """It may be the office's own number in the title, or a list without headings above another one."""
    lines = [
        "Questions:,020 7946 0000,",
        ",,",
        "Customer,Mobile,Order",
        "Ann,07700900001,A1",
        "Ben,07700900002,A2",
    ]
    with pytest.raises(AudienceError) as refused:
        csv(*lines)
    assert (refused.value.code, refused.value.field) == ("heading_row", "heading_row")
    assert "Row 3 looks like the headings" in str(refused.value)
    assert [one.row for one in csv(*lines, heading_row=3).recipients] == [4, 5]
    assert [one.row for one in csv(*lines, heading_row=0).recipients] == [1, 4, 5]


def test_headings_that_come_again_further_down_are_a_reject():
    audience = csv("Mobile,Name", "07700900001,Ann", "Mobile,Name", "07700900002,Ben")
    assert [one.row for one in audience.recipients] == [2, 4]
    assert [one.row for one in audience.rejects] == [3]


def test_a_row_can_be_chosen_and_what_is_no_row_is_refused():
    lines = ["A,B", "C,D", "07700900001,Ann"]
    audience = csv(*lines, heading_row=2)
    assert (audience.headings, audience.findings.rows_above) == (["C", "D"], 1)
    for row in (9, 1_000_000):
        with pytest.raises(AudienceError) as refused:
            csv(*lines, heading_row=row)
        assert (refused.value.code, refused.value.field) == ("heading_row", "heading_row")
    headless = csv("07700900001,Ann", "07700900002,Ben", heading_row=0)
    assert [one.row for one in headless.recipients] == [1, 2]
    assert headless.findings.heading_row == 0


def test_a_row_above_the_headings_that_cannot_be_cut_is_said():
    audience = csv("Spring list,,", '"x"y",z,w', "Customer,Mobile,Order", "Ann,07700900001,A1")
    assert audience.headings == ["Customer", "Mobile", "Order"]
    assert [one.row for one in audience.recipients] == [4]
    assert [(one.row, one.code) for one in audience.rejects] == [(2, "broken_quotes")]


def test_a_sheet_of_a_text_is_refused():
    with pytest.raises(AudienceError) as refused:
        csv("Mobile", "07700900001", sheet="List")
    assert (refused.value.code, refused.value.field) == ("needs_another", "sheet")


def test_what_repeats_is_named():
    found = csv("Mobile,Name,name,Town", "07700900001,Ann,Lee,York").findings
    assert found.repeated == ("name",)


@pytest.mark.parametrize(
    ("lines", "recipients", "rejects"),
    [
        (["Spring list", "", "Customer\tMobile", "Ann\t07700900001"], 1, 0),
        (["Spring list", "Mobile", "07700900001"], 1, 0),
        (["Mobile", "07700900001"], 1, 0),
        (["07700900001", "Mobile", "07700900002"], 2, 1),
        (["07700900001, 07700900002", "nobody"], 2, 1),
        (["o7700900001", "07700900002"], 1, 1),
    ],
)
def test_pasted_headings_are_found_too(lines, recipients, rejects):
    audience = read_pasted("\n".join(lines), country="GB")
    assert (len(audience.recipients), len(audience.rejects)) == (recipients, rejects)


@given(
    st.sampled_from(list(MAKERS)),
    st.lists(
        st.lists(
            st.sampled_from(["", "Spring", "12", "07700900009", "Mobile", "2026-11-01"]),
            min_size=3,
            max_size=3,
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_no_number_vanishes_above_the_headings(kind, above, named):
    rows = [*above, ["Customer", "Mobile" if named else "Fon", "Order"]]
    rows += [["Ann", number, "A1"] for number in NUMBERS]
    try:
        audience = read(io.BytesIO(MAKERS[kind](Sheet(rows))), name="x", country="GB", allow_duplicates=True)
    except AudienceError as refused:
        assert refused.code in ("heading_row", "no_column")
        return
    read_from = {one.row for one in [*audience.recipients, *audience.rejects]}
    for at, cells in enumerate(above, 1):
        if "07700900009" in cells:
            assert at in read_from
    assert {len(rows) - 2, len(rows) - 1, len(rows)} <= read_from
