"""Opt-outs: who must not be written to, how we know, and who may be again.

    words      what an incoming SMS asks for (`languages` is its table)
    messages   an incoming SMS, stored and acted upon       spool   where it waits while the database is away
    provider   receipts that report a refusal
    acts       the only code that writes opt-outs

That a refusal is heeded is `sms.dispatch`'s and `sms.compose`'s to see to, from the same table.
"""

from sms.inbound.optouts.acts import Refusal, in_force, opt_in, opt_out
from sms.inbound.optouts.messages import retry, take
from sms.inbound.optouts.provider import ReportedFailure, learn
from sms.inbound.optouts.spool import SpooledMessage, inbound_spool

__all__ = [
    "Refusal",
    "ReportedFailure",
    "SpooledMessage",
    "in_force",
    "inbound_spool",
    "learn",
    "opt_in",
    "opt_out",
    "retry",
    "sweep",
    "take",
]


def sweep() -> int:
    """Bring in what waits in this host's spool; returns how many SMS."""
    return inbound_spool.sweep(
        lambda item: take(item.raw, service_id=item.service_id, received_at=item.received_at)
    )
