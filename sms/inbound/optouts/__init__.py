"""Opt-outs: who must not be written to, how we know, and who may be again.

    keywords   what an incoming SMS asks for (`keywords.toml` is its table)
    messages   an incoming SMS, stored and acted upon
    conversations   where it belongs, and who of the team has to see it
    own_keywords    what the service itself asks people to text
    provider   receipts that report a refusal
    acts       the only code that writes opt-outs

That a refusal is heeded is `sms.dispatch`'s and `sms.compose`'s to see to, from the same table.
"""

from collections.abc import Sequence

from sms.inbound.optouts.acts import Refusal, of_others, opt_in, opt_out
from sms.inbound.optouts.messages import decide, retry, take, to_decide
from sms.inbound.optouts.provider import learn
from sms.inbound.spool import MOST, Spool
from sms.inbound.spool_records import IncomingPost

# A file for each SMS: they are few, and an SMS without an id that comes in twice, with others between, would be stored twice
inbound_spool = Spool(IncomingPost, full=0)  # `sms.apps` gives it its folder


def sweep() -> int:
    """Bring in what waits in this host's spool; returns how many SMS."""
    return inbound_spool.sweep(_take_all, files=MOST)


def take_in_kept() -> int:
    """Bring in what could not be when this host's spool was swept; returns how many SMS."""
    return inbound_spool.take_in_kept(_take_all)


def _take_all(posts: Sequence[IncomingPost]) -> None:
    for post in posts:
        take(post.raw, service_id=post.service_id, received_at=post.received_at)
