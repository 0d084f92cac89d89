"""Workbooks made by hand, so that they hold what libraries do not write: hidden rows, merged cells, formulas without a value."""

import io
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HIDDEN = ' hidden="1"'
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


@dataclass(frozen=True)
class Formula:
    """A formula, with the value that was calculated, if it was. `error` is what it shows instead."""

    text: str
    value: str | None = None
    error: str = ""


Cell = str | Formula


@dataclass(frozen=True)
class Sheet:
    """Rows and columns count from 0; a merge is (top, left, bottom, right)."""

    rows: Sequence[Sequence[Cell]]
    name: str = "List"
    hidden_rows: Collection[int] = ()
    hidden_columns: Collection[int] = ()
    merges: Collection[tuple[int, int, int, int]] = ()
    filtered: bool = False
    state: str = "visible"  # hidden, veryHidden

    @property
    def width(self) -> int:
        return max(map(len, self.rows), default=0)


def xlsx(*sheets: Sheet, calculate_on_load: bool = False, macros: bool = False) -> bytes:
    """An XLSX, or an XLSM, which differs in its content type alone."""
    numbers = range(1, len(sheets) + 1)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        book = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
        if not macros:
            book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
        new.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
            f'openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{book}"/></Types>',
        )
        new.writestr("_rels/.rels", _relations(("officeDocument", "xl/workbook.xml")))
        listed = "".join(
            f'<sheet name="{escape(one.name)}" sheetId="{number}" state="{one.state}" r:id="rId{number}"/>'
            for number, one in zip(numbers, sheets, strict=True)
        )
        calculation = '<calcPr fullCalcOnLoad="1"/>' if calculate_on_load else ""
        new.writestr(
            "xl/workbook.xml",
            f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets>{listed}</sheets>{calculation}</workbook>',
        )
        parts = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
        new.writestr("xl/_rels/workbook.xml.rels", _relations(*parts))
        for number, one in zip(numbers, sheets, strict=True):
            new.writestr(f"xl/worksheets/sheet{number}.xml", _worksheet(one))
    return content.getvalue()


def _relations(*parts: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{LINKS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(parts, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{listed}</Relationships>'


def _worksheet(sheet: Sheet) -> str:
    columns = "".join(f'<col min="{at + 1}" max="{at + 1}" hidden="1"/>' for at in sheet.hidden_columns)
    rows = "".join(
        f'<row r="{at + 1}"{HIDDEN if at in sheet.hidden_rows else ""}>'
        + "".join(_xlsx_cell(f"{letters(column)}{at + 1}", cell) for column, cell in enumerate(cells))
        + "</row>"
        for at, cells in enumerate(sheet.rows)
    )
    merged = "".join(
        f'<mergeCell ref="{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"/>'
        for top, left, bottom, right in sheet.merges
    )
    reach = f"A1:{letters(max(sheet.width - 1, 0))}{len(sheet.rows)}"
    return (
        f"<worksheet {MAIN}>"
        + (f"<cols>{columns}</cols>" if columns else "")
        + f"<sheetData>{rows}</sheetData>"
        + (f'<autoFilter ref="{reach}"><filterColumn colId="0"/></autoFilter>' if sheet.filtered else "")
        + (f"<mergeCells>{merged}</mergeCells>" if merged else "")
        + "</worksheet>"
    )


def _xlsx_cell(place: str, cell: Cell) -> str:
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>' if cell else ""
    if cell.error:
        return f'<c r="{place}" t="e"><f>{escape(cell.text)}</f><v>{cell.error}</v></c>'
    if cell.value is None:
        return f'<c r="{place}"><f>{escape(cell.text)}</f></c>'
    return f'<c r="{place}" t="str"><f>{escape(cell.text)}</f><v>{escape(cell.value)}</v></c>'


def letters(at: int) -> str:
    """The name of a column, from 0."""
    return (letters(at // 26 - 1) if at >= 26 else "") + chr(65 + at % 26)


def ods(*sheets: Sheet) -> bytes:
    styles = '<style:style style:name="away" style:family="table"><style:table-properties table:display="false"/></style:style>'
    tables = "".join(map(_table, sheets))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr("META-INF/manifest.xml", "<manifest/>")
        new.writestr(
            "content.xml",
            f'<office:document-content {ODF} xmlns:calcext="urn:calcext"><office:automatic-styles>{styles}</office:automatic-styles>'
            f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
        )
    return content.getvalue()


def _table(sheet: Sheet) -> str:
    columns = "".join(
        f"<table:table-column{_collapsed(at in sheet.hidden_columns)}/>" for at in range(sheet.width)
    )
    away = "" if sheet.state == "visible" else ' table:style-name="away"'
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in sheet.merges}
    kind = "filter" if sheet.filtered else "collapse"
    rows = "".join(
        f"<table:table-row{_collapsed(at in sheet.hidden_rows, kind)}>"
        + "".join(_ods_cell(cell, spans.get((at, column))) for column, cell in enumerate(cells))
        + "</table:table-row>"
        for at, cells in enumerate(sheet.rows)
    )
    return f'<table:table table:name="{escape(sheet.name)}"{away}>{columns}{rows}</table:table>'


def _collapsed(hidden: bool, kind: str = "collapse") -> str:
    return f' table:visibility="{kind}"' if hidden else ""


def _ods_cell(cell: Cell, span: tuple[int, int] | None) -> str:
    says = f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"' if span else ""
    formula = f' table:formula="of:={escape(cell.text, quote=True)}"' if isinstance(cell, Formula) else ""
    shown: str | None = cell if isinstance(cell, str) else cell.value
    if isinstance(cell, Formula) and cell.error:
        error = ' office:value-type="string" office:string-value="" calcext:value-type="error"'
        return f"<table:table-cell{says}{formula}{error}><text:p>{cell.error}</text:p></table:table-cell>"
    if not shown:
        return f"<table:table-cell{says}{formula}/>"
    return f'<table:table-cell{says}{formula} office:value-type="string"><text:p>{escape(shown)}</text:p></table:table-cell>'


MAKERS = {"xlsx": xlsx, "xlsm": lambda *sheets: xlsx(*sheets, macros=True), "ods": ods}
