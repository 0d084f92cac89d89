"""What the page of a request shows beside the question: one message at a time, the file, the rows left out, cost and time."""

from dataclasses import dataclass
from datetime import datetime
from random import randint
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from portal.forms.numbers import key_of
from portal.presenters.flight_plan import stretch_between
from portal.presenters.rejected_rows import rejected_rows, shows_values
from sms.compose.rejects import rejected_groups
from sms.models import ApprovalRequest, ApprovalState, Message, Send
from sms.models.sql.clock import corrected_now
from sms.sends.plan.of_request import outlook

SHOWN_REJECTS = 20


@dataclass(frozen=True, slots=True)
class MessageSteps:
    """The message on the phone, and those that links lead to: (label, its key, None where there is none)."""

    line: Message
    links: list[tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where the recipients came from. `by` is empty where nobody is known."""

    name: str
    at: datetime | None = None
    by: str = ""


def beside_the_question(request: HttpRequest, asked: ApprovalRequest) -> dict[str, Any]:
    send = asked.send
    seen = outlook(asked, now=corrected_now()) if asked.state == ApprovalState.OPEN else None
    foreseen = seen.forecast if seen else None
    return {
        "steps": _steps(request, send),
        "file": _file(asked),
        "outlook": seen,
        "foreseen": foreseen,
        "takes": stretch_between(foreseen.finish_latest_at, foreseen.start_at) if foreseen else "",
        "left_out": rejected_groups(send) if send.rejected else [],
        "left_out_rows": list(rejected_rows(request, send, most=SHOWN_REJECTS)) if send.rejected else [],
        "left_out_values": shows_values(request),
    }


def _steps(request: HttpRequest, send: Send) -> MessageSteps | None:
    """A key in place of "random", so that an address always shows the same message."""
    rows = Message.objects.filter(send=send).order_by("pk")
    first, last = rows.first(), rows.last()
    if first is None or last is None:
        return None
    line = rows.filter(pk=key_of(request.GET, "message") or 0).first() or first
    longest = rows.order_by("-segments", "pk").first()
    before, after = rows.filter(pk__lt=line.pk).last(), rows.filter(pk__gt=line.pk).first()
    by_chance = rows.filter(pk__gte=randint(first.pk, last.pk)).first()  # noqa: S311 - which row is no secret
    wanted = {
        pgettext("message", "First"): first,
        pgettext("message", "Previous"): before,
        pgettext("message", "Next"): after,
        pgettext("message", "Last"): last,
        pgettext("message", "Longest"): longest,
        pgettext("message", "Any other"): by_chance,
    }
    return MessageSteps(
        line, [(label, one.pk if one and one.pk != line.pk else None) for label, one in wanted.items()]
    )


def _file(asked: ApprovalRequest) -> SourceFile:
    """The upload of the draft only where it is the file that was sent: after a rejection it may have another one."""
    send, draft = asked.send, asked.draft
    upload = draft.upload if draft and draft.upload and draft.upload.sha256 == send.file_sha256 else None
    version = send.audience
    if version is not None and version.audience is not None:
        said = {"audience": version.audience, "version": version, "source": version.source}
        name = _("%(audience)s, %(version)s (%(source)s)") % said
        return SourceFile(name, version.made_at, version.made_by.shown_name if version.made_by else "")
    if upload is None and version is not None:
        upload = version.upload
    if upload is None:
        return SourceFile(send.source)
    return SourceFile(
        upload.name, upload.uploaded_at, upload.uploaded_by.shown_name if upload.uploaded_by else ""
    )
