"""Retention: what belongs to people leaves when its days are over; figures, counters and the audit stay.

    due          which sends are due          messages     what is taken out of messages that stay
    other_rows   everything but messages      run          a run, its pace, and what the next one would do
    holds        what must not be touched

Called by `sms.worker.jobs` in the background, by `manage.py retain`, and by the settings page.
"""

from sms.compliance.retention.holds import hold, release
from sms.compliance.retention.run import (
    DUTY,
    RestRate,
    days_set,
    due_services,
    forecast,
    lag,
    put_off,
    run,
    run_due,
)
