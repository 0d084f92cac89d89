"""What programs write to hide a row or a column beyond the usual switch, and files that are made to hurt with it."""

import io
import random
import tracemalloc
import zipfile

import pytest

from sms.audiences.files import AudienceError, ReadingChoices, read
from tests.support.spreadsheets import MAIN, Sheet, ods, xlsx

PEOPLE = (("Mobile", "Name"), ("07700900001", "Ann"), ("07700900002", "Ben"))
SHEET = "xl/worksheets/sheet1.xml"


def changed(content, name, old, new):
    """The archive with a text of one member replaced."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for one in before.namelist():
            text = before.read(one).decode()
            if one == name:
                assert old in text
                text = text.replace(old, new)
            after.writestr(one, text)
    return made.getvalue()


def leaving_out(content):
    return read(io.BytesIO(content), name="x", country="GB", choices=ReadingChoices(hidden_rows="leave_out"))


def rows(content):
    return [one.row for one in leaving_out(content).recipients]


@pytest.mark.parametrize(
    "how", ["hidden='true'", 'ht="0" customHeight="1"', 'ht="0.0"', 'spans="1:2" hidden = "1"']
)
def test_a_row_without_height_is_hidden(how):
    content = changed(xlsx(Sheet(PEOPLE)), SHEET, '<row r="2"', f'<row r="2" {how}')
    assert rows(content) == [3]
    with pytest.raises(AudienceError) as refused:
        read(io.BytesIO(content), name="x", country="GB")
    assert refused.value.code == "hidden_rows"


@pytest.mark.parametrize("how", ['hidden="0"', 'ht="15"', 'ht="0.75"', 'collapsed="1"', 'outlineLevel="1"'])
def test_a_row_with_another_switch_is_seen(how):
    content = changed(xlsx(Sheet(PEOPLE)), SHEET, '<row r="2"', f'<row r="2" {how}')
    assert len(read(io.BytesIO(content), name="x", country="GB").recipients) == 2


def test_a_row_without_its_number_is_hidden_where_it_stands():
    text = '<c t="inlineStr"><is><t>0770090000%d</t></is></c>'
    inside = "".join(f'<row hidden="{int(at == 2)}">{text % at}</row>' for at in range(4))
    assert rows(with_sheet(sheet_with(inside=inside))) == [1, 2, 4]


@pytest.mark.parametrize("how", ['width="0" customWidth="1"', 'hidden="true"', "hidden='1'"])
def test_a_column_without_width_is_hidden(how):
    head = f'<cols><col min="2" max="16384" {how}/></cols><sheetData>'
    content = changed(xlsx(Sheet(PEOPLE)), SHEET, "<sheetData>", head)
    audience = read(io.BytesIO(content), name="x", country="GB")
    assert audience.headings == ["Mobile"]
    assert audience.findings.hidden_columns == ("Name",)


def test_what_stands_in_a_comment_hides_nothing():
    head = '<!-- <cols><col min="2" max="2" hidden="1"/></cols> --><sheetData>'
    content = changed(xlsx(Sheet(PEOPLE)), SHEET, "<sheetData>", head)
    assert read(io.BytesIO(content), name="x", country="GB").headings == ["Mobile", "Name"]


def test_a_folded_group_of_an_ods_is_hidden():
    begins = '<table:table-row-group table:display="false"><table:table-row-group><table:table-row>'
    content = changed(
        ods(Sheet(PEOPLE)),
        "content.xml",
        "</table:table-row><table:table-row>",
        f"</table:table-row>{begins}",
    )
    # both rows begin a group of their own; each is closed behind its row
    ends = "</table:table-row>" + "</table:table-row-group>" * 4
    made = changed(content, "content.xml", "</table:table-row></table:table>", f"{ends}</table:table>")
    assert rows(made) == []


def rows_or_code(content):
    try:
        return rows(content)
    except AudienceError as refused:
        return refused.code


def sheet_with(columns="", inside="", after=""):
    return f"<worksheet {MAIN}><cols>{columns}</cols><sheetData>{inside}</sheetData>{after}</worksheet>"


def with_sheet(text):
    made = io.BytesIO()
    content = xlsx(Sheet(PEOPLE))
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for one in before.namelist():
            after.writestr(one, text if one == SHEET else before.read(one))
    return made.getvalue()


CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>07700900001</t></is></c></row>'
HOSTILE = {
    "columns": sheet_with(
        columns="".join(f'<col min="1" max="16384" hidden="1" width="{at * 7919}"/>' for at in range(100_000)), inside=CELL
    ),
    "columns beyond every sheet": sheet_with(columns='<col min="1" max="99999999999999999999" hidden="1"/>', inside=CELL),
    "columns without numbers": sheet_with(columns='<col min="x" hidden="1"/>', inside=CELL),
    "a column that never ends": f"<worksheet {MAIN}><cols><col min='1' " + random.Random(1).randbytes(9_000_000).hex(),
    "rows": sheet_with(inside=CELL + "".join(f'<row r="{at}" hidden="1"/>' for at in range(2, 100_000))),
    "a row beyond every sheet": sheet_with(inside=CELL + '<row r="%s" hidden="1"/>' % ("9" * 5_000)),
    "merges": sheet_with(inside=CELL, after="<mergeCells>" + '<mergeCell ref="A1:XFD1048576"/>' * 50_000 + "</mergeCells>"),
    "formulas": sheet_with(
        inside="".join(f'<row r="{at}"><c r="A{at}"><f>1</f></c></row>' for at in range(1, 120_000))
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_layout_ends_in_time_and_memory(what):
    content = with_sheet(HOSTILE[what])
    tracemalloc.start()
    try:
        outcome = rows_or_code(content)
        assert outcome == [1] or isinstance(outcome, str)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "inside",
    [
        '<table:table-row table:number-rows-repeated="1048576" table:visibility="collapse"><table:table-cell/></table:table-row>' * 100_000,
        '<table:table-column table:number-columns-repeated="16384" table:visibility="collapse"/>' * 100_000,
        '<table:table-row-group table:display="false">' * 100_000,
        "</table:table-row-group></table:table-row>" * 100_000,
        '<table:table-row><table:table-cell table:number-columns-spanned="999999999" table:number-rows-spanned="999999999"'
        ' office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row>' * 20_000,
        '<table:table-row><table:table-cell table:formula="x" table:number-columns-repeated="16384"/></table:table-row>' * 200,
    ],
    ids=["rows", "columns", "groups", "closings", "spans", "formulas"],
)  # fmt: skip
def test_hostile_ods_ends_in_time_and_memory(inside):
    content = changed(ods(Sheet(PEOPLE)), "content.xml", "</table:table>", f"{inside}</table:table>")
    tracemalloc.start()
    try:
        outcome = rows_or_code(content)
        assert isinstance(outcome, list | str)
        assert tracemalloc.get_traced_memory()[1] < 300_000_000
    finally:
        tracemalloc.stop()
