"""Erasure: a number goes from every place of a service, with a certificate; aggregates, the audit, and a refusal as a digest stay.

    naming    the person, and how the database looks for a number      places    every place, one list
    ledger    messages and archives                        raw       receipts, incoming SMS, stored answers
    packed    audiences and figures                        uploads   files that people gave
    columns   every other text, of every application       naming    how the database looks for a number
    waiting_files, other_files   what lies on this host
    opt_outs  refusals as digests                          journal   digests of erased numbers, outside of the database
    waits     what has to end first                        run       from the asking to the certificate

Called by the page *Personal data*, by `manage.py erase_number`, and by `sms.worker.jobs` for what had to wait.
"""

from sms.compliance.erasure.journal import read as read_list
from sms.compliance.erasure.naming import Subject
from sms.compliance.erasure.preconditions import why_not
from sms.compliance.erasure.run import again, ask, genuine, perform, waiting
