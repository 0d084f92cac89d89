"""Several events in one POST, signed together: which go together, and what it says. Pure.

A receiver that refuses a batch may mean one event of it. So an event whose batch was refused goes alone the next time, and so does one that
failed twice in any way: what cannot be taken holds up nobody else.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile

from sms.callbacks.post import CallbackRequest
from sms.callbacks.width import OVERLOADED
from sms.models.callback import Callback, CallbackEndpoint
from sms.webex.wire import stamp

BATCH = "batch"
MOST_BYTES = 512 * 1024  # of one body


def request(row: CallbackEndpoint, callbacks: Sequence[Callback], *, now: datetime) -> CallbackRequest:
    """The POST of these to that endpoint: of one callback, or where it wants batches of one batch."""
    secrets = row.secrets_at(now, row.secret_before_until)
    hub = row.kind == CallbackEndpoint.Kind.NOTIFY
    if row.batch_size > 1 and not hub:
        name, body = written(callbacks)
        return CallbackRequest(name, row.url, body.encode(), secrets)
    (one,) = callbacks
    return CallbackRequest(one.event_id, one.url or row.url, one.body.encode(), secrets, hub)


def length(waiting: Sequence[Callback], *, most: int) -> int:
    """How many of the first that wait are posted together: of one priority, none that goes alone."""
    first = waiting[0]
    if most < 2 or _goes_alone(first):
        return 1
    size = 0

    def fits(one: Callback) -> bool:
        nonlocal size
        size += len(one.body)
        return one.priority == first.priority and not _goes_alone(one) and size <= MOST_BYTES

    return max(len(list(takewhile(fits, waiting[:most]))), 1)


def _goes_alone(callback: Callback) -> bool:
    return callback.tries > 1 or (callback.tries == 1 and callback.last_status not in OVERLOADED)


def written(callbacks: Sequence[Callback]) -> tuple[str, str]:
    """The name of a batch and its body. The same events make the same batch, so a receiver knows one that is posted again."""
    names = "\n".join(one.event_id for one in callbacks)
    name = "bat_" + base64.b32encode(hashlib.sha256(names.encode()).digest()[:20]).decode().lower()
    events = ",".join(one.body for one in callbacks)
    at = stamp(callbacks[0].created_at)
    return name, f'{{"id":"{name}","type":"{BATCH}","timestamp":"{at}","data":{{"events":[{events}]}}}}'
