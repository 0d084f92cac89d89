"""Whether the same was sent before: the same file, or the same text to the same recipients."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sms.audiences import storage
from sms.compose.resolved_order import ResolvedOrder
from sms.models import Send, SendState, Upload

BEFORE = 5  # sends that are named


def repeat_key(order: ResolvedOrder) -> str:
    """What a person confirms who wants to send the same once more; it changes with the file or the recipients."""
    return order.file_sha256 or people_of(order)


def people_of(order: ResolvedOrder) -> str:
    version = order.saved
    return version.digest if version is not None and version.digest else storage.digest_of(order.audience)


def sent_before(order: ResolvedOrder) -> list[Send]:
    """Sends of this service made from the very same file, or with the same text to the same recipients; the newest first.

    A cancelled one does not count, nor does a test, which went to colleagues. Other text to the same recipients is daily work; the
    same file is more often a mistake.
    """
    rows = _gone(order.service.pk)
    words: Mapping[str, Any] = {"text": order.text, "template": order.template}
    found = rows.filter(audience_digest=people_of(order), **words)
    if order.file_sha256:
        found = found | rows.filter(file_sha256=order.file_sha256)
    return list(found.select_related("created_by").order_by("-pk")[:BEFORE])


def file_sent_before(upload: Upload) -> list[Send]:
    """Sends that were made from the very same file; the newest first. For a page that says so before anything is read."""
    found = _gone(upload.service_id).filter(file_sha256=upload.sha256)
    return list(found.select_related("created_by").order_by("-pk")[:BEFORE])


def _gone(service_id: int) -> "QuerySet[Send]":
    return Send.objects.filter(service=service_id, test=False, simulated=False).exclude(
        state=SendState.CANCELLED
    )


def repeat_warning(before: Sequence[Send]) -> str:
    last = before[0]
    who = f" by {last.created_by}" if last.created_by else ""
    when = timezone.localtime(last.created_at)
    more = f" and {len(before) - 1} more" if len(before) > 1 else ""
    return (
        f"This was already sent: “{last.name}”{who} on {when:%d %b %Y at %H:%M}{more}. "
        "Tick that you want to send it again, or choose another file."
    )
