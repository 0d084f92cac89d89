"""Short-link domains: what may be one, whether it works, and since when. Called by the pages, the admin, compose and `sms.worker.jobs`.

name.py     what a person typed, as a host name
trace.py    where DNS leads
site.py     certificate and answer of the server
verdict.py  all of it in one state and one sentence; pure
check.py    checks many at once, and stores what changed
expiry.py   certificates that are about to expire, also that of our own address
"""

from sms.catalogue.domains.check import ALARMING, NotCheckable, anything_due, check, check_due
from sms.catalogue.domains.expiry import tell_of_own
from sms.catalogue.domains.name import BadName, usable
