"""Whom a hold concerns: those who made the sends that it stops, and the admins where Textdesk itself placed it."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from sms.models import Actor, NoticeKind, Send, Service
from sms.notices.people import holding
from sms.notices.tell import tell
from sms.words import KeptSentence

# Translators: what is a name, because is a sentence
PAUSED = KeptSentence(gettext_noop("%(what)s is paused: %(because)s"))
PAUSED_BY = KeptSentence(
    gettext_noop("%(person)s paused it. Nothing is lost: messages wait until it is resumed.")
)


def tell_held(
    service: Service,
    what: str,
    sends: "QuerySet[Send]",
    *,
    event: str,
    because: str,
    by: Actor,
    now: datetime | None = None,
) -> None:
    """`what` is its name; of one send the notice leads there, of several to their list."""
    stopped = list(sends.select_related(None).order_by("pk").values_list("pk", "created_by"))
    to = {author for _, author in stopped}
    if by.kind == "system":
        to |= holding(service, "admin")
    page, page_id = ("send", stopped[0][0]) if len(stopped) == 1 else ("sends", None)
    tell(
        NoticeKind.SEND_HELD,
        to,
        event=event,
        says=PAUSED(what=what, because=because),
        more=PAUSED_BY(person=by.label),
        service=service,
        page=page,
        page_id=page_id,
        by=by,
        now=now,
    )
