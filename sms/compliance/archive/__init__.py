"""Archives: messages that left the ledger, in files that pages, search and exports still read.

    rows      what is kept of a message         files    encrypted blocks on the disk
    index     where a number is, by digest      write    a new file
    move      out of the ledger                 rewrite  a file with rows changed
    strip     what days take out of a row       verify   whether files hold what they should
    read      found and shown

Called by `sms.compliance.retention` and `sms.compliance.erasure`; read by the pages and the API.
"""

from sms.compliance.archive.files import ArchiveError, store
from sms.compliance.archive.move import move, resume
from sms.compliance.archive.read import (
    Archived,
    amount,
    at_row,
    by_provider_id,
    called,
    every,
    has,
    histories_of,
    of_send,
    one,
    rows_of,
    to_any,
    to_number,
)
from sms.compliance.archive.rewrite import rewrite
from sms.compliance.archive.rows import ArchivedMessage, MessageHistory, history_of, read_ledger, receipts_of
from sms.compliance.archive.strip import StripRule, erased, in_raw, in_values, silent, strip
from sms.compliance.archive.verify import unknown_files, verify
from sms.compliance.archive.write import block_size, make
