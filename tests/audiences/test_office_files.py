"""Whole files as offices make them: each row becomes what it must, and none is lost."""

import io

import pytest

from sms.audiences.files import Limits, Recipient, RejectedRow, read, rejects_csv, stream
from tests.support import office_file

READINGS = [
    (10_000, "csv-semicolon-utf16"),
    (10_000, "csv-cp1252"),
    (2_000, "csv-tab"),
    (2_000, "csv-comma-bom"),
    (10_000, "xlsx"),
]


@pytest.mark.parametrize(("rows", "flavour"), READINGS)
def test_office_file_becomes_exactly_what_was_put_into_it(rows, flavour):
    content, expected = office_file.build(rows, seed=7, flavour=flavour)
    audience = read(io.BytesIO(content), name=expected.name, country="GB", limits=Limits(bytes=20_000_000))
    assert {reject.row: reject.code for reject in audience.rejects} == expected.rejects
    assert {one.row: one.msisdn for one in audience.recipients} == expected.recipients
    names = {
        one.row: one.substitutions["Customer name"]
        for one in audience.recipients
        if "Customer name" in one.substitutions
    }
    assert names == expected.names
    assert len(audience.recipients) + len(audience.rejects) == rows
    assert all(reject.reason for reject in audience.rejects)
    assert audience.headings == office_file.HEADINGS
    assert audience.column == "Mobile number"


def test_generated_file_holds_every_kind_of_reject():
    _, expected = office_file.build(10_000, seed=7, flavour="csv-semicolon-utf16")
    codes = {"cell_too_long", "date", "duplicate", "empty", "formula", "formula_error", "not_a_number", "shortened", "too_long",
             "too_short", "two_numbers"}  # fmt: skip
    assert set(expected.rejects_by_code) == codes
    assert set(expected.outcomes.values()) == set(office_file.FINAL_OUTCOMES)


def test_stream_counts_every_row_it_gave():
    content, expected = office_file.build(500, seed=3, flavour="csv-tab")
    reading = stream(io.BytesIO(content), name=expected.name, country="GB")
    given = list(reading)
    assert reading.rows_read == len(given) == 500
    assert sum(isinstance(item, Recipient) for item in given) == len(expected.recipients)
    assert sum(isinstance(item, RejectedRow) for item in given) == len(expected.rejects)


def test_stream_gives_first_rows_before_the_last_are_read():
    class Watched(io.BytesIO):
        furthest = 0

        def read1(self, size=-1):
            chunk = super().read1(size)
            self.furthest = max(self.furthest, self.tell())
            return chunk

    content = b"Mobile\n" + b"".join(b"07712%06d\n" % at for at in range(100_000))
    file = Watched(content)
    reading = stream(file, name="x.csv", country="GB")
    assert next(iter(reading)).row == 2
    # A look at the whole file for its encoding goes another way (read), so read1 tells what was decoded.
    assert file.furthest < len(content) / 2


def test_stream_leaves_the_file_open():
    file = io.BytesIO(b"Mobile\n07712345678\n")
    list(stream(file, name="x.csv", country="GB"))
    assert not file.closed


def test_downloaded_rejects_can_be_corrected_and_uploaded_again():
    content, expected = office_file.build(2_000, seed=5, flavour="csv-tab")
    rejects = read(io.BytesIO(content), name=expected.name, country="GB").rejects
    download = "".join(rejects_csv(rejects)).replace("value", "Mobile", 1).encode()
    again = read(io.BytesIO(download), name="rejects.csv", country="GB", allow_duplicates=True)
    # The only rows that were good numbers: second copies, and those whose other cells were too long.
    good = sum(reject.code in ("duplicate", "cell_too_long") for reject in rejects)
    assert len(again.recipients) == good
    assert len(again.rejects) == len(rejects) - good


def test_downloaded_rejects_run_no_formula():
    nasty = ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "07712 x", '"=1']
    lines = "".join(
        rejects_csv(
            RejectedRow(row=at, value=value, code="x", reason=value) for at, value in enumerate(nasty)
        )
    )
    assert lines.startswith("\ufeffrow,value,code,reason\r\n")
    import csv

    for row in list(csv.reader(io.StringIO(lines, newline="")))[1:]:
        for cell in row[1:]:
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝")), cell
