"""Recipients from whatever an office has: CSV, XLSX, XLS and ODS files, or numbers pasted into a box.

`read` and `read_pasted` return an `Audience`; `stream` yields the same row by row. Every row that has a filled cell becomes either a
recipient or a reject with its row number and a reason, so that nothing is dropped silently; what cannot be read at all is an
`AudienceError` whose sentence names the way out. Reads no database, keeps nothing, decides nothing about the text.

    kinds       what sort of file the bytes are, whatever its name says
    delimited   CSV: encoding, delimiter, quotes        workbook   XLSX, XLS, ODS: sheets, what a cell shows (`shown`)
    archive     guards a zipped workbook                layout     of a sheet: its reach, what is hidden (`ods_layout`)
    opening     a file, whatever kind it is             pasted     the box
    headings    which row holds them                    columns    which column holds the numbers
    table       the two and what is left out            findings   what is said of that; choices   what a person decides about it
    reading     rows to recipients and rejects          cells      what a cell holds
"""

from sms.audiences.files.choices import ReadingChoices
from sms.audiences.files.download import mendable_csv, rejects_csv
from sms.audiences.files.errors import AudienceError
from sms.audiences.files.findings import FileFindings
from sms.audiences.files.opening import Streamed, by_size, headings_of, read, refuse_other_kind, stream
from sms.audiences.files.pasted import read_pasted, stream_pasted, with_corrections
from sms.audiences.files.reading import AudienceReader
from sms.audiences.files.rows import (
    Audience,
    Limits,
    Recipient,
    RejectedGroup,
    RejectedRow,
    grouped,
    without_number,
)
from sms.audiences.files.workbook import rows_of_workbook
