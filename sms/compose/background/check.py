"""The figures of a draft whose audience is large, folded chunk by chunk. What is known so far is stored every second or so.

An edit of the draft asks for another check (`drafts.totals_of`), which takes the lease away: this one ends without a result.
"""

import time
from collections.abc import Generator

import msgspec
from django.db import transaction

from sms.audiences import storage
from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.background.lease import LeaseLost, PreparationLease
from sms.compose.lines import Composer
from sms.compose.resolved_order import resolve
from sms.compose.survey import Survey, Surveyor
from sms.ledger.crash_points import point
from sms.models import Draft, OptOut, Preparation
from sms.models.sql.clock import corrected_now

STORE_EVERY = 1.0  # seconds
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Survey).decode


def check(found: Preparation, lease: PreparationLease) -> Generator[None]:
    """A step is a chunk."""
    draft = drafts.with_related(Draft.objects.all()).get(preparation=found)
    limits = Limits(**found.cursor["limits"])
    order = resolve(drafts.order_of_draft(draft, limits=limits))
    if drafts.check_digest(order) != found.digest:
        raise LeaseLost  # it was changed a moment ago: the next page asks for another check
    kept = order.audience
    assert isinstance(kept, storage.StoredAudience)
    cursor = dict(found.cursor)
    if "place" not in cursor:
        last = OptOut.objects.filter(service=order.service).order_by("-pk").values_list("pk", flat=True)
        cursor |= {"place": 0, "opt_outs": last.first() or 0}
    composer = Composer(order)
    surveyor = Surveyor(order, so_far=_decode(bytes(found.partial)) if found.partial else None)
    total, stored, rows = kept.version.recipients + kept.version.rejected, time.monotonic(), 0
    while (block := kept.block(cursor["place"])) is not None:
        lines, unfit = composer.lines(block.recipients)
        surveyor.add(lines, [*block.rejects, *unfit])
        cursor["place"] += 1
        rows += len(block.recipients) + len(block.rejects)
        if time.monotonic() - stored > STORE_EVERY:
            stored = time.monotonic()
            so_far = surveyor.so_far()
            with transaction.atomic():
                lease.keep(rows=rows, cursor=cursor, done=so_far.rows, total=total, partial=_encode(so_far))
                point("check_uncommitted")
            point("check_committed")
            rows = 0
        yield
    result = surveyor.finish()
    with transaction.atomic():
        lease.keep(
            rows=rows,
            cursor=cursor,
            done=total,
            total=total,
            partial=b"",
            result=_encode(result),
            result_digest=found.digest,
            result_at=corrected_now(),
        )
        lease.end(Preparation.State.READY)
        point("check_ending")
    yield
