"""A workbook is read as the person sees it: what is hidden is left out or chosen about, in every format."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences.files import AudienceError, ReadingChoices, read
from tests.support.old_workbooks import xls
from tests.support.spreadsheets import MAKERS as ZIPPED
from tests.support.spreadsheets import Formula, Sheet, xlsx

MAKERS = {**ZIPPED, "xls": xls}
KINDS = pytest.mark.parametrize("kind", list(MAKERS))
PEOPLE = (
    ("Mobile", "Name", "Left"),
    ("07700900001", "Ann", "no"),
    ("07700900002", "Ben", "yes"),
    ("07700900003", "Cem", "no"),
    ("07700900004", "Dee", "yes"),
)


def reading(content, **options):
    choices = ReadingChoices(
        **{name: options.pop(name) for name in list(options) if name in ReadingChoices.__slots__}
    )
    return read(io.BytesIO(content), name="list", country="GB", choices=choices, **options)


def refused(content, **options):
    with pytest.raises(AudienceError) as problem:
        reading(content, **options)
    return problem.value


def rows_of(audience):
    return [one.row for one in audience.recipients]


@KINDS
def test_hidden_rows_have_to_be_chosen_about(kind):
    content = MAKERS[kind](Sheet(PEOPLE, hidden_rows=(2, 4), filtered=True))
    problem = refused(content)
    assert (problem.code, problem.field) == ("hidden_rows", "hidden_rows")
    assert "2 rows of this file are hidden (rows 3, 5)" in str(problem)
    found = problem.findings
    assert (found.hidden_rows, found.first_hidden_rows, found.filtered, found.rows_choice) == (
        2,
        (3, 5),
        True,
        "",
    )
    assert (found.heading_row, found.column) == (1, "Mobile")

    left_out = reading(content, hidden_rows="leave_out")
    assert rows_of(left_out) == [2, 4]
    assert not left_out.rejects
    assert rows_of(reading(content, hidden_rows="include")) == [2, 3, 4, 5]


@KINDS
def test_hidden_rows_in_which_nothing_stands_do_not_matter(kind):
    content = MAKERS[kind](Sheet((*PEOPLE, ("", "", ""), ("", "", "")), hidden_rows=(5, 6)))
    assert rows_of(reading(content)) == [2, 3, 4, 5]


@KINDS
def test_a_file_of_hidden_rows_alone_asks_too(kind):
    content = MAKERS[kind](Sheet(PEOPLE, hidden_rows=range(5)))
    assert refused(content).code == "hidden_rows"
    problem = refused(content, hidden_rows="leave_out")
    assert (problem.code, problem.field) == ("empty", "hidden_rows") and "Every row" in str(problem)
    assert rows_of(reading(content, hidden_rows="include")) == [2, 3, 4, 5]


@KINDS
def test_hidden_columns_are_left_out_unless_they_are_wanted(kind):
    content = MAKERS[kind](Sheet(PEOPLE, hidden_columns=(2,)))
    audience = reading(content)
    assert audience.headings == ["Mobile", "Name"]
    assert audience.recipients[0].substitutions == {"Name": "Ann"}
    assert (audience.findings.hidden_columns, audience.findings.columns_choice) == (("Left",), "leave_out")
    included = reading(content, hidden_columns="include")
    assert included.recipients[0].substitutions == {"Name": "Ann", "Left": "no"}


@KINDS
def test_of_two_columns_of_numbers_the_visible_one_is_meant(kind):
    rows = [("Mobile", "Phone", "Name"), ("07700900001", "07700900009", "Ann")]
    content = MAKERS[kind](Sheet(rows, hidden_columns=(0,)))
    assert [one.msisdn for one in reading(content).recipients] == ["+447700900009"]
    assert [one.msisdn for one in reading(content, column="Mobile").recipients] == ["+447700900001"]


@KINDS
def test_hidden_numbers_are_named_where_none_is_found(kind):
    content = MAKERS[kind](Sheet(PEOPLE, hidden_columns=(0,)))
    problem = refused(content)
    assert (problem.code, problem.field) == ("no_column", "column")
    assert "“Mobile”" in str(problem)


@KINDS
@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_read_only_where_it_is_named(kind, state):
    old = Sheet([("Mobile",), ("07700900009",)], name="Old", state=state)
    content = MAKERS[kind](old, Sheet(PEOPLE, name="Now"), Sheet(PEOPLE[:2], name="More"))
    audience = reading(content)
    assert rows_of(audience) == [2, 3, 4, 5]
    found = audience.findings
    assert (found.sheet, [(one.name, one.hidden) for one in found.other_sheets]) == (
        "Now",
        [("Old", True), ("More", False)],
    )
    assert [one.msisdn for one in reading(content, sheet="old").recipients] == ["+447700900009"]
    assert rows_of(reading(content, sheet="More")) == [2]
    problem = refused(content, sheet="Elsewhere")
    assert (problem.code, problem.field) == ("invalid_choice", "sheet")
    assert "“Old”, “Now”, “More”" in str(problem)


@pytest.mark.parametrize(
    "kind", list(ZIPPED)
)  # an XLS holds an empty text there, as a formula may that was calculated
def test_a_formula_that_was_never_calculated_says_so(kind):
    rows = [
        ("Mobile", "Sum"),
        (Formula('"0770"&"0900001"'), "1"),
        ("07700900002", Formula("1+1")),
        (Formula('"0770"&"0900003"', "07700900003"), Formula("1+1", "2")),
        (Formula("1/0", error="#DIV/0!"), "4"),
    ]
    audience = reading(MAKERS[kind](Sheet(rows)))
    assert [(one.row, one.code) for one in audience.rejects] == [(2, "formula"), (5, "formula_error")]
    assert "never calculated" in audience.rejects[0].reason
    assert [one.substitutions for one in audience.recipients] == [{}, {"Sum": "2"}]
    assert (audience.findings.uncalculated, audience.findings.errors) == (2, 1)


def test_a_zero_that_excel_would_calculate_first_is_no_value():
    rows = [("Mobile", "Due"), ("07700900001", Formula("B9*2", "0"))]
    assert reading(xlsx(Sheet(rows))).recipients[0].substitutions == {"Due": "0"}
    assert reading(xlsx(Sheet(rows), calculate_on_load=True)).recipients[0].substitutions == {}


@KINDS
@pytest.mark.parametrize(
    ("top", "merges", "headings"),
    [
        # a heading over two columns
        ([("Mobile", "Name", "")], [(0, 1, 0, 2)], ["Mobile", "Name", "Name (2)"]),
        # groups above, each over some columns
        ([("Who", "", "Where"), ("Mobile", "Name", "Town")], [(0, 0, 0, 1)], ["Mobile", "Name", "Town"]),
        ([("Home", "", "Work"), ("Mobile", "Town", "Town")], [(0, 0, 0, 1)], ["Mobile", "Home Town", "Work Town"]),
        # one merged down, beside a group
        ([("Mobile", "Name", ""), ("", "First", "Last")], [(0, 0, 1, 0), (0, 1, 0, 2)], ["Mobile", "First", "Last"]),
        ([("Customer", "Reach", ""), ("", "Mobile", "Town")], [(0, 0, 1, 0), (0, 1, 0, 2)], ["Customer", "Mobile", "Town"]),
        # a title over all of them
        ([("Spring list", "", ""), ("Mobile", "Name", "Town")], [(0, 0, 0, 2)], ["Mobile", "Name", "Town"]),
    ],
)  # fmt: skip
def test_merged_headings_name_the_columns_that_they_cover(kind, top, merges, headings):
    at = headings.index("Mobile")
    bodies = [("07700900001", "Ann", "Leeds"), ("07700900002", "Ben", "York")]
    rows = [[*cells[1 : at + 1], cells[0], *cells[at + 1 :]] for cells in bodies]
    audience = reading(MAKERS[kind](Sheet([*top, *rows], merges=merges)))
    assert audience.headings == headings
    assert audience.column == "Mobile"
    assert rows_of(audience) == [len(top) + 1, len(top) + 2]
    assert audience.findings.heading_row == len(top)


@KINDS
def test_a_heading_over_data_rows_that_are_merged_swallows_none(kind):
    rows = [("Mobile", "Firm"), ("07700900001", "Acme"), ("07700900002", "")]
    audience = reading(MAKERS[kind](Sheet(rows, merges=[(1, 1, 2, 1)])))
    assert rows_of(audience) == [2, 3]


@given(
    st.sampled_from(list(MAKERS)),
    st.lists(st.booleans(), min_size=3, max_size=12),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(0, 4),
    st.booleans(),
)
def test_exactly_what_is_visible_is_read(kind, hidden, columns, above, include):
    """Whatever is hidden, and wherever the headings stand. The numbers' own column is always visible."""
    columns[1] = False
    title = [
        ["Spring list", "", "", ""],
        ["Made by Ann", "", "", ""],
        ["", "", "", ""],
        ["Draft", "", "", ""],
    ][:above]
    names = ["Name", "Mobile", "Town", "Order"]
    body = [[f"Name {at}", f"077009{at:05}", "Leeds", f"A{at}"] for at in range(len(hidden))]
    first = len(title) + 1
    rows_hidden = [first + at for at, is_hidden in enumerate(hidden) if is_hidden]
    columns_hidden = [at for at, is_hidden in enumerate(columns) if is_hidden]
    content = MAKERS[kind](
        Sheet([*title, names, *body], hidden_rows=rows_hidden, hidden_columns=columns_hidden)
    )
    if rows_hidden:
        assert refused(content).code == "hidden_rows"
    if all(hidden) and not include:
        return  # only headings are left
    audience = reading(content, hidden_rows="include" if include else "leave_out")
    seen = [at for at, is_hidden in enumerate(hidden) if include or not is_hidden]
    assert not audience.rejects
    assert {one.row: one.substitutions for one in audience.recipients} == {
        first + at + 1: {
            names[column]: body[at][column] for column in (0, 2, 3) if column not in columns_hidden
        }
        for at in seen
    }
    found = audience.findings
    assert found.heading_row == len(title) + 1
    assert found.rows_above == sum(any(cells) for cells in title)
    assert (found.hidden_rows, len(found.hidden_columns)) == (len(rows_hidden), len(columns_hidden))
