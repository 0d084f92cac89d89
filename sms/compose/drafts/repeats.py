"""Whether the same was sent before: the same file, or the same text to the same recipients."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sms.audiences import storage
from sms.compose.resolved_order import ResolvedOrder
from sms.models import Send, SendState, Upload
from sms.words import moment

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
    when, more = timezone.localtime(last.created_at), len(before) - 1
    if last.created_by and more:
        says = _("This was already sent: “%(name)s” by %(person)s on %(day)s at %(time)s and %(more)s more.")
    elif last.created_by:
        says = _("This was already sent: “%(name)s” by %(person)s on %(day)s at %(time)s.")
    elif more:
        says = _("This was already sent: “%(name)s” on %(day)s at %(time)s and %(more)s more.")
    else:
        says = _("This was already sent: “%(name)s” on %(day)s at %(time)s.")
    facts = {"name": last.name, "person": last.created_by, "more": more}
    facts |= {"day": moment(when, "d M Y"), "time": moment(when, "H:i")}
    way_out = _("Tick that you want to send it again, or choose another file.")
    return f"{says % facts} {way_out}"
