"""ODS: repeated rows and cells are counted as a person sees them, and not laid out where they never end."""

import io
import zipfile

import pytest

from sms.audiences.files import AudienceError, read

SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)


def ods(*rows):
    table = f'<table:table table:name="List">{"".join(rows)}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        new.writestr("META-INF/manifest.xml", "<manifest/>")
        new.writestr("content.xml", f"<office:document-content {SPACES}>{body}</office:document-content>")
    content.seek(0)
    return content


def row(*values, times=1, each=1):
    cells = "".join(
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{each}"><text:p>{value}</text:p>'
        "</table:table-cell>"
        for value in values
    )
    return f'<table:table-row table:number-rows-repeated="{times}">{cells}</table:table-row>'


EMPTY = '<table:table-row table:number-rows-repeated="%d"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'


def test_ods_is_read_with_its_repeated_rows():
    table = ods(
        row("Mobile", "Name"), row("07712345678", "A"), EMPTY % 2, row("x", times=2), EMPTY % 1_048_570
    )
    audience = read(table, name="x.ods", country="GB")
    assert [(one.row, one.substitutions) for one in audience.recipients] == [(2, {"Name": "A"})]
    assert [one.row for one in audience.rejects] == [5, 6]


@pytest.mark.parametrize(
    "rows",
    [
        [row("1", times=1_048_576, each=16_384)],
        [row("1"), '<table:table-row table:number-rows-repeated="9999999"/>', row("1", each=99)],
        [row("1"), EMPTY % 9_999_999, row("1", each=99)],
    ],
)
def test_ods_that_never_ends_is_refused(rows):
    with pytest.raises(AudienceError) as refused:
        read(ods(*rows), name="x.ods", country="GB")
    assert refused.value.code == "too_many_cells"
