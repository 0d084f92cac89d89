"""Files that are no tables, damaged or made to hurt: one sentence, no crash, no memory gone."""

import io
import struct
import tracemalloc
import zipfile
from datetime import datetime
from functools import cache
from itertools import islice

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from sms.audiences.files import AudienceError, Limits, Recipient, RejectedRow, read, read_pasted, stream
from sms.audiences.files.delimited import open_delimited

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


@cache
def workbook():
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"created": datetime(2026, 11, 23)})  # the same bytes on every run
    book.add_worksheet().write_column(0, 0, ["Mobile", "07712345678", "x", "07712345679"])
    book.close()
    return content.getvalue()


def archive(**members):
    """The workbook with some members replaced (by their names with dots for slashes turned back), or added."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, members.pop(name, None) or old.read(name))
        for name, text in members.items():
            new.writestr(name, text)
    return content.getvalue()


def zipped(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in members.items():
            new.writestr(name, text)
    return content.getvalue()


def sheet(rows):
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return f"{head}{rows}</sheetData></worksheet>"


def cell(where, value="1", more=""):
    return f'<c r="{where}"{more}><v>{value}</v></c>'


def lying(content, name, size):
    """The same archive, saying that a member unpacks to `size` bytes."""
    content = bytearray(content)
    for mark, name_at, size_at in ((b"PK\x03\x04", 30, 22), (b"PK\x01\x02", 46, 24)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            if content[at + name_at : at + name_at + len(name)] == name.encode():
                content[at + size_at : at + size_at + 4] = struct.pack("<I", size)
    return bytes(content)


@cache
def bomb():
    return archive(**{SHEET: sheet(" " * 300_000_000)})


# Contents, or how to make them: some take a second, which only the worker that runs the case should pay.
CASES = [
    (b"", "empty", "empty"),
    (b"\r\n \n", "empty", "empty"),
    (b"\xef\xbb\xbf", "empty", ""),
    (b",,,\n,,\n", "empty", ""),
    (b"%PDF-1.7\n...", "not_a_spreadsheet", "a PDF"),
    (b"\x89PNG\r\n\x1a\n" + bytes(50), "not_a_spreadsheet", "PNG"),
    (b"\xff\xd8\xff\xe0" + bytes(50), "not_a_spreadsheet", "JPEG"),
    (b"<html><table><tr><td>Mobile</td></tr></table>", "not_a_spreadsheet", "web page"),
    (b"\xef\xbb\xbf  <!DOCTYPE html>", "not_a_spreadsheet", "web page"),
    (b'<?xml version="1.0"?><Workbook/>', "not_a_spreadsheet", "XML"),
    (b'[{"mobile": "07712345678"}]', "not_a_spreadsheet", "JSON"),
    (bytes(range(256)) * 20, "not_a_spreadsheet", "bytes"),
    (b"07712345678" + bytes(3001) + b"07712345678", "not_a_spreadsheet", "bytes"),
    (OLE + "WordDocument".encode("utf-16-le"), "not_a_spreadsheet", "Word"),
    (OLE + "EncryptedPackage".encode("utf-16-le"), "protected", "password"),
    (OLE + "Workbook".encode("utf-16-le"), "unreadable", "damaged"),
    (zipped(**{"list.csv": "Mobile\n07712345678"}), "archive", "list.csv"),
    (zipped(**{"inner.xlsx": workbook()}), "archive", "inner.xlsx"),
    (zipped(**{"word/document.xml": "<x/>"}), "not_a_spreadsheet", "Word"),
    (zipped(**{"Index/Document.iwa": "x"}), "not_a_spreadsheet", "Numbers"),
    (zipped(**{"xl/workbook.bin": "x"}), "not_a_spreadsheet", "XLSB"),
    (zipped(**{"xl/workbook.xml": "<x/>"}), "unreadable", "damaged"),
    (workbook()[:-100], "unreadable", "damaged"),
    (workbook()[:500], "unreadable", "damaged"),
    (b"PK\x03\x04", "unreadable", "damaged"),
    (lambda: archive(**{SHEET: "<worksheet><sheetData><row"}), "unreadable", "damaged"),
    (bomb, "zip_bomb", "250 MB"),
    (lambda: lying(bomb(), SHEET, 1000), "zip_bomb", "250 MB"),
    (lambda: archive(**{"docProps/nested.xml": " " * 300_000_000}), "zip_bomb", "250 MB"),
    (lambda: archive(**{SHEET: sheet(" " * 30_000_000)}), "zip_bomb", ""),
    (lambda: archive(**{SHEET: sheet(cell("A1") + cell("XFD1048576"))}), "too_many_cells", "1,048,576"),
    (lambda: archive(**{SHEET: sheet(f"<row r='1'>{cell('A1')}</row><row r='1048576'>{'<c><v>1</v></c>' * 16}</row>")}), "too_many_cells", ""),  # noqa: E501
    (lambda: archive(**{SHEET: sheet(cell("A1") + "<c q='>' r = 'XFD1048576'><v>1</v></c>")}), "too_many_cells", ""),
    (lambda: archive(**{STRINGS: f"<sst><si><t>{'x' * 1_000_000}</t></si></sst>", SHEET: sheet("".join(cell(f"A{at}", 0, ' t="s"') for at in range(1, 400)))}), "zip_bomb", "texts"),  # noqa: E501
]  # fmt: skip


RELATIONS = "xl/_rels/workbook.xml.rels"
FAR = sheet(cell("A1") + cell("XFD1048576"))
with zipfile.ZipFile(io.BytesIO(workbook())) as _plain:
    RELATED = _plain.read(RELATIONS).decode()
CASES += [
    # the sheet that is looked at must be the one that the parser opens
    (
        lambda: archive(
            **{SHEET: FAR, RELATIONS: RELATED.replace("worksheets/", "worksheets/../worksheets/")}
        ),
        "unreadable",
        "",
    ),
    (
        lambda: archive(
            **{
                SHEET: FAR,
                "xl/worksheets/b.xml": sheet(""),
                RELATIONS: RELATED.replace(
                    "</Relationships>",
                    '<!-- <Relationship Id="rId1" Target="worksheets/b.xml"/> --></Relationships>',
                ),
            }
        ),
        "too_many_cells",
        "",
    ),
    # patterns that could be tried in too many ways
    (lambda: archive(**{SHEET: sheet("<c " + "a" * 5_000_000)}), "unreadable", ""),
    (lambda: archive(**{SHEET: sheet("<c a='1' " * 200_000)}), "unreadable", ""),
    (
        lambda: archive(**{"xl/styles.xml": "".join(f"<numFmt {at:x} " for at in range(1_200_000))}),
        "unreadable",
        "",
    ),
    (lambda: b"," * 9_000_000, "empty", ""),
    (lambda: b"Mobile" + b",x" * 4_000_000, "too_many_cells", "16,384"),
]


@pytest.mark.parametrize(("content", "code", "named"), CASES, ids=range(len(CASES)))
def test_file_that_is_no_table_is_one_sentence(content, code, named):
    with pytest.raises(AudienceError) as refused:
        read(io.BytesIO(content() if callable(content) else content), name="x.xlsx", country="GB")
    assert refused.value.code == code
    assert named in str(refused.value)
    assert str(refused.value).endswith(".")


def test_zip_bomb_takes_no_memory():
    made = bomb()
    tracemalloc.start()
    try:
        with pytest.raises(AudienceError):
            read(io.BytesIO(made), name="x.xlsx", country="GB")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_encrypted_archive_is_called_protected():
    content = bytearray(workbook())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        found = -1
        while (found := content.find(mark, found + 1)) >= 0:
            content[found + at] |= 1
    with pytest.raises(AudienceError) as refused:
        read(io.BytesIO(bytes(content)), name="x.xlsx", country="GB")
    assert refused.value.code == "protected"


def test_styled_empty_cells_far_away_do_no_harm():
    content = archive(
        **{
            SHEET: sheet(
                f'{cell("A1", "07712345678", chr(32) + "t=" + chr(34) + "str" + chr(34))}<c r="XFD1048576" s="1"/>'
            )
        }
    )
    assert [one.msisdn for one in read(io.BytesIO(content), name="x", country="GB").recipients] == [
        "+447712345678"
    ]


def test_file_of_broken_quotation_marks_ends_in_time():
    # From any line on, the quotation marks pair up differently and run to the end of the file.
    lines = "Mobile,Name,Town\n07712345678,A,B\n" + 'x",y,"\n' * 20_000
    with pytest.raises(AudienceError) as refused:
        read(io.BytesIO(lines.encode()), name="x", country="GB", limits=Limits(bytes=200_000))
    assert refused.value.code == "broken_quotes"


@pytest.mark.parametrize("line", ["1\n", "\n", "+447712345678,Ann\r\n", "x,y\r"])
def test_a_quotation_mark_that_is_never_closed_costs_no_memory(line):
    lines = 'Mobile,Name\n07712345678,A\n"07712345679,B\n' + line * (2_000_000 // len(line))
    content = io.BytesIO(lines.encode())
    tracemalloc.start()
    try:
        rows = open_delimited(content, limits=Limits()).rows
        found = list(islice(rows, 3))
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
        rows.close()
    finally:
        tracemalloc.stop()
    assert (found[2].row, found[2].code) == (3, "broken_quotes")


def test_too_many_open_quotation_marks_are_refused_with_the_first_row():
    lines = "Mobile,Name,Town\n07712345678,A,B\n" + 'x",y,"\n' * 20_000
    with pytest.raises(AudienceError, match="first in row 3"):
        read(io.BytesIO(lines.encode()), name="x", country="GB", limits=Limits(bytes=200_000))


def test_two_members_of_one_name_are_refused():
    content = io.BytesIO(workbook())
    with zipfile.ZipFile(content, "a") as added, pytest.warns(UserWarning, match="Duplicate"):
        added.writestr(SHEET, sheet(cell("A1")))
    with pytest.raises(AudienceError) as refused:
        read(content, name="x", country="GB")
    assert refused.value.code == "unreadable"


STARTS = [
    b"",
    b"Mobile\n",
    b"Mobile,Name\n07712345678,A\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    OLE,
    workbook()[:300],
]


@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes_are_an_audience_or_an_audience_error(start, rest):
    for country in ("GB", ""):
        try:
            reading = stream(io.BytesIO(start + rest), name="x", country=country)
            items = list(reading)
        except AudienceError as refused:
            assert str(refused)
        else:
            assert reading.rows_read == len(items)
            assert all(isinstance(item, Recipient | RejectedRow) for item in items)


@given(st.data())
def test_any_damage_to_a_workbook_is_an_audience_or_an_audience_error(data):
    content = bytearray(workbook())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(io.BytesIO(bytes(content)), name="x", country="GB")
    except AudienceError as refused:
        assert str(refused)


@given(st.text(alphabet=st.sampled_from("<>/\"'= crsowtvABXF19XFD048576&;-![]"), max_size=80))
def test_any_sheet_xml_is_an_audience_or_an_audience_error(inside):
    try:
        read(io.BytesIO(archive(**{SHEET: sheet(inside)})), name="x", country="GB")
    except AudienceError as refused:
        assert str(refused)


@given(st.text(max_size=200))
def test_any_text_can_be_pasted(text):
    try:
        audience = read_pasted(text, country="GB")
    except AudienceError as refused:
        assert str(refused)
    else:
        assert audience.recipients or audience.rejects or audience.headings


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9_999),
            st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
        ),
        min_size=1,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_table_written_by_csv_comes_back(rows, encoding, delimiter, line_end):
    import csv

    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([("Mobile", "Name"), *((f"0771234{digits:04}", name) for digits, name in rows)])
    audience = read(
        io.BytesIO(text.getvalue().encode(encoding)), name="x", country="GB", allow_duplicates=True
    )
    by_row = {one.row: one for one in audience.recipients}
    assert len(by_row) + len(audience.rejects) == len(rows)
    for at, (digits, name) in enumerate(rows, 2):
        if at in by_row:
            assert by_row[at].msisdn == f"+44771234{digits:04}"
        else:
            assert "\ufffd" in name
