"""Posts of Webex Connect that were refused: kept within bounds, counted, and taken in by a person after a mistake.

`keep`, `whose` and `note` are called by the endpoints (`sms.api.webex_posts`), `take_in` and `delete` by pages and a command, the
overviews by whatever shows how many there are, `forget` by `sms.worker.jobs`.
"""

from sms.inbound.refused.keeping import forget, keep, whose
from sms.inbound.refused.overview import RefusedRow, SignatureCheck, checks_of, kept_of, tallies
from sms.inbound.refused.take_in import delete, take_in
from sms.inbound.refused.tally import note
