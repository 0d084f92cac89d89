"""One act for several rows of a list: what it would do to each, then each by the same function as from its own page.

    kinds       the acts, by their keys
    of_sends    cancelling, labelling, exporting      of_drafts   discarding, labelling      of_audiences   archiving
    run         chosen, shown, confirmed once, carried out row by row
    export      the reports of several sends as one archive
    row         what an act would do to a row, or why not

Called by pages. Each row is a transaction of its own, with its own audit row.
"""

from sms.sends.bulk.export import write_reports
from sms.sends.bulk.kinds import KINDS, BulkKind
from sms.sends.bulk.row import RowOutlook
from sms.sends.bulk.run import DEAD_AFTER, MOST, choose, claim, outcome, outlook, perform, taken
