"""Delimited files: encodings, delimiters, quotes, row numbers."""

import io

import pytest

from sms.audiences.files import AudienceError, Limits, read

TABLE = "Mobile;Name\r\n07712 345678;Zoë\r\n07712345679;Bo\r\n"


def reading(content, **options):
    content = content.encode() if isinstance(content, str) else content
    return read(io.BytesIO(content), name="x.csv", country="GB", **options)


def rows(audience):
    return [(one.row, one.msisdn, one.substitutions) for one in audience.recipients]


def rejects(audience):
    return [(one.row, one.code) for one in audience.rejects]


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
        TABLE.encode("cp1252"),
        TABLE.replace("\r\n", "\n").encode(),
        TABLE.replace("\r\n", "\r").encode(),
        TABLE.replace(";", ",").encode(),
        TABLE.replace(";", "\t").encode("utf-16"),
        TABLE.replace(";", "|").encode("cp1252"),
        TABLE.replace("\r\n", ";;;\r\n").encode(),
        ("sep=;\r\n" + TABLE).encode("utf-8-sig"),
        ('"sep=;"\r\n' + TABLE).encode(),
        TABLE.replace("Mobile", '"Mobile"').replace("Zoë", '"Zoë"').encode(),
        TABLE.rstrip().encode(),
        TABLE.replace("07712345679", '="07712345679"').encode(),
        TABLE.replace("07712345679", '"=""07712345679"""').encode(),
        TABLE.replace("Bo", "B\0o\0\0").encode(),
        ("Name;Mobile\nZoë;07712345678\nBo;07712345679\n").encode(),
        TABLE.replace("Name", "Name ").replace("Zoë", "  Zoë\xa0").encode(),
        TABLE.replace("Mobile", "\ufeffMobile").encode("utf-8-sig"),
    ],
)
def test_same_table_in_any_guise_reads_the_same(content):
    audience = reading(content)
    assert rows(audience) == [(2, "+447712345678", {"Name": "Zoë"}), (3, "+447712345679", {"Name": "Bo"})]
    assert rejects(audience) == []


@pytest.mark.parametrize(
    ("content", "given", "refused"),
    [
        # empty rows are not rows, but they count
        ("Mobile,Name\n\n07712345678,A\n,\n , \n07712345679,B\n", [3, 6], []),
        # records, not lines
        ('Mobile,Note\n07712345678,"one\ntwo\n\nthree"\n07712345679,x\n', [2, 3], []),
        # short rows
        ("Mobile,Name,Town\n07712345678\n07712345679,B\n", [2, 3], []),
        # a cell too many, where columns may have shifted; not where it is empty
        ("Mobile,Name\n07712345678,Lee, Bo\n07712345679,B,,\n", [3], [(2, "too_many_cells")]),
        # filled, but without a number
        ("Mobile,Name\n,A\n07712345679,B\n", [3], [(2, "empty")]),
        # one 5 MB cell, with and without line breaks
        ("Mobile,Note\n07712345678," + "x" * 5_000_000 + "\n07712345679,B\n", [3], [(2, "cell_too_long")]),
        ('Mobile,Note\n07712345678,"' + "x\n" * 2_500_000 + '"\n07712345679,B\n', [3], [(2, "cell_too_long")]),
        ("Mobile,Note\n" + "1" * 5_000_000 + ",A\n07712345679,B\n", [3], [(2, "cell_too_long")]),
        # a quotation mark that is never closed must not swallow other people's rows
        ('Mobile,Name\n07712345678,"Ann\n07712345679,Bo\n07712345670,Cy\n', [3, 4], [(2, "broken_quotes")]),
        ('Mobile,Name\n07712345678,"Ann\n07712345679,"Bo"\n07712345670,Cy\n', [3, 4], [(2, "broken_quotes")]),
        ('Mobile,Name\n07712345678,"Ann "A" Lee"\n07712345679,12" pipe\n', [3], [(2, "broken_quotes")]),
        ('Mobile,Name\n07712345679,Bo\n07712345678,"Ann', [2], [(3, "broken_quotes")]),
        # formulas
        ('Mobile,Name\n=A1+1,A\n"=HYPERLINK(""x"",""07712345678"")",B\n', [], [(2, "formula"), (3, "formula")]),
        ("Mobile,Name\n#REF!,A\n", [], [(2, "formula_error")]),
        # a day is no number, though its digits could be one
        ("Mobile,Name\n03/11/2026,A\n2026-11-03,B\n07712345679,C\n", [4], [(2, "date"), (3, "date")]),
        # copies, however written
        ("Mobile\n07712345678\n+44 7712 345678\n00447712345678\n", [2], [(3, "duplicate"), (4, "duplicate")]),
        # characters that nobody can read
        (b"Mobile,Name\n07712345678,caf\xc3\xa9\n07712345679,caf\xe9\n07712345670,na\xc3\xafve\n", [2, 4], [(3, "broken_text")]),
    ],
)  # fmt: skip
def test_each_row_is_given_or_refused_under_its_number(content, given, refused):
    audience = reading(content)
    assert [one.row for one in audience.recipients] == given
    assert rejects(audience) == refused


def test_row_after_unclosed_quotation_mark_keeps_its_own_data():
    audience = reading('Mobile,Name\n07712345678,"Ann\n07712345679,"Bo"\n')
    assert rows(audience) == [(3, "+447712345679", {"Name": "Bo"})]


def test_duplicate_names_the_first_row():
    audience = reading("Mobile\n07712345670\n07712345678\n\n07712345678\n")
    assert audience.rejects[0].reason == "The same number is already in row 3."
    assert audience.rejects[0].value == "07712345678"


def test_duplicates_are_kept_where_allowed():
    audience = reading("Mobile\n07712345678\n07712345678\n", allow_duplicates=True)
    assert [one.row for one in audience.recipients] == [2, 3]


def test_rejected_row_does_not_make_the_next_copy_a_duplicate():
    audience = reading("Mobile,Note\n07712345678," + "x" * 3000 + "\n07712345678,ok\n")
    assert [one.row for one in audience.recipients] == [3]


def test_empty_cells_and_formula_errors_are_no_substitutions():
    audience = reading('Mobile,Name,Town,Code\n07712345678,,#N/A,="007"\n')
    assert audience.recipients[0].substitutions == {"Code": "007"}


def test_line_breaks_inside_a_cell_become_plain():
    audience = reading('Mobile,Note\r\n07712345678,"a\r\nb\rc"\r\n')
    assert audience.recipients[0].substitutions == {"Note": "a\nb\nc"}


def test_number_possible_but_unassigned_is_kept_with_a_warning():
    audience = reading("Mobile\n07700900001\n07712345678\n")
    assert [bool(one.warning) for one in audience.recipients] == [True, False]


def test_numbers_follow_the_country():
    content = b"Mobile\n0612345678\n"
    assert read(io.BytesIO(content), name="x", country="FR").recipients[0].msisdn == "+33612345678"
    assert [one.code for one in read(io.BytesIO(content), name="x", country="").rejects] != []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "cells",
    [
        [["Mobile", "Price", "Text"], ["07712345678", "3,50", "a, b, c"], ["07712345679", "4,50", "d; e"]],
        [["Name", "Mobile"], ["Dupont, Anne", "07712 345678"], ["Martin, Luc", "07712 345679"]],
        [["Nom, prénom", "Mobile"], ["Dupont, Anne", "07712 345678"], ["Martin, Luc", "07712 345679"]],
        [["Mobile", "Note"], ["07712345678", "one\ntwo, three\nfour; five | six"], ["07712345679", ""]],
        [["Text", "Mobile"], ["=A;B|C\tD,E", "07712345678"]],
        [["Mobile", "Price; gross"], ["4.47712345678E+11", "a; b; c"], ["4.47712345679E+11", "d; e; f"]],
        [["Mobile", "Note"], ["4,47712345678E+11", "x"], ["4,47712345679E+11"], ["4,47712345670E+11"], ["4,47712345671E+11"]],
    ],
)  # fmt: skip
def test_delimiter_is_found_among_those_in_the_text(delimiter, cells):
    import csv

    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(cells)
    audience = reading(text.getvalue())
    assert audience.headings == cells[0]
    assert len(audience.recipients) == len(cells) - 1


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_data_wider_than_its_headings_is_still_cut(delimiter):
    audience = reading(f"Mobile\n07712345678{delimiter}A\n07712345679{delimiter}B\n07712345670{delimiter}\n")
    assert [one.row for one in audience.recipients] == [4]
    assert rejects(audience) == [(2, "too_many_cells"), (3, "too_many_cells")]


def test_one_column_is_not_cut_at_the_commas_inside_its_numbers():
    audience = reading('Mobile\n447,712,345,678\n"4,47712345679E+11"\n4,47712345670E+11\n')
    assert [one.msisdn[-3:] for one in audience.recipients] == ["678", "679", "670"]


@pytest.mark.parametrize("other", [",", ";", "|"])
@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_delimiter_is_the_one_that_leaves_numbers_alone(delimiter, other):
    audience = reading(f"07712345678{delimiter}Lee{other} Bo\n07712345679{delimiter}Ng{other} Al\n")
    assert len(audience.recipients) == 2


def test_one_column_file_needs_no_delimiter():
    audience = reading("Mobile number\n+44 7712 345678\n+44 (0)7712 345679\n")
    assert [one.msisdn for one in audience.recipients] == ["+447712345678", "+447712345679"]


@pytest.mark.parametrize("kind", ["rows", "bytes"])
def test_file_over_a_limit_is_refused_with_the_limit(kind):
    content = "Mobile\n" + "\n".join(f"07712345{at:03}" for at in range(101))
    limits = Limits(rows=100) if kind == "rows" else Limits(bytes=1_000)
    with pytest.raises(AudienceError) as refused:
        reading(content, limits=limits)
    assert refused.value.code == ("too_many_rows" if kind == "rows" else "too_large")
    assert ("100 rows" if kind == "rows" else "1,000 bytes") in str(refused.value)


def test_file_of_exactly_the_limit_is_read_and_empty_rows_do_not_count():
    content = "Mobile\n\n\n" + "\n".join(f"07712345{at:03}" for at in range(100)) + "\n\n\n"
    assert len(reading(content, limits=Limits(rows=100, bytes=len(content))).recipients) == 100


def test_pipe_is_read_like_a_file():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    audience = read(Pipe(TABLE.encode()), name="-", country="GB")
    assert len(audience.recipients) == 2
    with pytest.raises(AudienceError) as refused:
        read(Pipe(TABLE.encode()), name="-", country="GB", limits=Limits(bytes=10))
    assert refused.value.code == "too_large"
