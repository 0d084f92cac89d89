"""Erasure: a number goes from every place of a service, with a certificate; aggregates, the audit, and a refusal as a digest stay.

    subject   the person: a number in all its forms        places   every place, one list
    ledger    messages and archives                        packed   audiences and files
    columns   every other text and receipt                 disk     what lies on this host
    opt_outs  refusals as digests                          journal  digests of erased numbers, outside of the database
    run       from the asking to the certificate

Called by the page *Personal data*, by `manage.py erase_number`, and by `sms.rounds` for what had to wait.
"""

from sms.erasure.journal import read as read_list
from sms.erasure.run import again, ask, canonical, genuine, mac_of, perform, waiting, why_not
from sms.erasure.subject import Subject

__all__ = [
    "Subject",
    "again",
    "ask",
    "canonical",
    "genuine",
    "mac_of",
    "perform",
    "read_list",
    "waiting",
    "why_not",
]
