"""Takes the ends of all chains to the second places: once an hour, and where one does not answer again after five minutes.

Called in a loop of its own, so that a place that hangs does not hold up sealing. When it is due stands in memory alone, out of reach of
SQL; what the database knows of places is for people.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.utils.translation import gettext_noop

from sms.compliance.audit import elsewhere
from sms.compliance.audit.checkpoint import Checkpoint, heads_of, line_of
from sms.compliance.audit.verify import services
from sms.models import CheckpointPlace
from sms.models.sql.clock import corrected_now
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

HOUR = 3600.0
RETRY = 300.0
EVERY = 30.0  # seconds between looks
STALE = timedelta(hours=2)  # a place that nobody tries any more is no longer in AUDIT_CHECKPOINTS_TO


class CheckpointCourier:
    def __init__(self, places: Sequence[str]) -> None:
        self._due = dict.fromkeys(places, 0.0)

    def run(self) -> None:
        due = [place for place, at in self._due.items() if at <= time.monotonic()]
        heads = heads_of(services()) if due else {}
        lines = [line_of(Checkpoint.of(head)) for head in heads.values()]
        for place in due if lines else ():
            self._due[place] = time.monotonic() + (HOUR if _deliver(lines, place) else RETRY)


def _deliver(lines: Sequence[str], place: str) -> bool:
    now = datetime.now(UTC)
    try:
        elsewhere.deliver(lines, place, now=now)
    except (
        OSError,
        ValueError,
    ) as problem:  # a name that is no host raises the latter; others must not wait for it
        log.error("audit_checkpoint_not_sent", place=urlsplit(place).scheme, error=repr(problem)[:300])
        _note(place, tried_at=now, problem=str(problem)[:300] or type(problem).__name__)
        return False
    _note(place, tried_at=now, problem="", delivered_at=now)
    return True


def _note(place: str, **said: object) -> None:
    CheckpointPlace.objects.update_or_create(pk=place[:300], defaults=said)


NOT_SINCE = KeptSentence(
    gettext_noop(
        "Checkpoints of the audit do not reach %(place)s: %(problem)s. It is tried again every five minutes. "
        "The last came there on %(time)s UTC."
    )
)
NEVER = KeptSentence(
    gettext_noop(
        "Checkpoints of the audit do not reach %(place)s: %(problem)s. It is tried again every five minutes."
    )
)


def undelivered() -> list[str]:
    """A sentence for each place that did not take the last delivery."""
    tried = CheckpointPlace.objects.filter(tried_at__gt=corrected_now() - STALE).exclude(problem="")
    return [
        NOT_SINCE(place=one.place, problem=one.problem, time=f"{one.delivered_at:%-d %B %Y, %H:%M}")
        if one.delivered_at
        else NEVER(place=one.place, problem=one.problem)
        for one in tried.order_by("pk")
    ]
