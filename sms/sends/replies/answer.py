"""An answer: a send of one to the person of a conversation, from the sender that they wrote to, with every check that a send has.

`token` is that of the form or of the request: the same answer asked for twice is one send. `seen` is how many answers the page showed:
where a colleague answered meanwhile, nothing is sent, and the sentence says who it was.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from sms import notices
from sms.audiences.files import Audience, Recipient
from sms.compose.create import create
from sms.compose.errors import RowsNotTaken
from sms.compose.options import asking_for
from sms.compose.order import Order
from sms.models import (
    Actor,
    ApiKey,
    AuditEvent,
    Conversation,
    ConversationAnswer,
    KeywordRule,
    Lane,
    OptOut,
    Sender,
    SenderKind,
    SendOptions,
    Service,
)
from sms.models.audit import audit
from sms.models.sql.clock import corrected_now
from sms.sends.replies.handling import Overtaken, end, name_of
from sms.values.problems import ProblemCode, ProblemError
from sms.words import KeptSentence

# A job that answers for a keyword keeps them beside the SMS.
NO_SENDER = KeptSentence(
    gettext_noop(
        "%(address)s, to which they wrote, is no sender of this service, so no answer can be sent from it. "
        "An admin can add it under Catalogue."
    )
)
NO_SENDER_KNOWN = gettext_noop(
    "The number to which they wrote is no sender of this service, so no answer can be sent from it. "
    "An admin can add it under Catalogue."
)
ARCHIVED = KeptSentence(
    gettext_noop(
        "%(sender)s, to which they wrote, is archived, so no answer can be sent from it. "
        "An admin can use it again under Catalogue."
    )
)
NO_NUMBER = KeptSentence(
    gettext_noop("%(sender)s is a name that no one can write to, so no answer can be sent from it.")
)


class AnswerRefused(ProblemError):
    """Nothing can be sent to this person from there; the sentence says why, and what to do."""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What is to be answered. `seen` is None where nobody looked at a page; `at_night` sends in quiet hours too."""

    text: str
    token: str
    seen: int | None = None
    at_night: bool = False
    done: bool = False  # nothing more is to be done then
    options: SendOptions | None = None  # of an API key, completed by its policies
    key: ApiKey | None = None
    transactional: bool = False
    rule: KeywordRule | None = None
    upto: int | None = None  # the newest SMS that it answers, where that may not be the last


def answer(
    conversation: Conversation, reply: WrittenAnswer, *, by: Actor, now: datetime | None = None
) -> ConversationAnswer:
    """Make the send. Raises AnswerRefused, Overtaken, and ComposeError as `compose.create` does; then nothing was sent."""
    now = now or corrected_now()
    with transaction.atomic():
        rows = Conversation.objects.select_for_update(of=("self",)).select_related("service")
        locked = rows.get(pk=conversation.pk)
        earlier = locked.answers.filter(token=reply.token).select_related("send").first()
        if earlier is not None:
            return earlier
        if reply.seen is not None and reply.seen != locked.answered:
            raise Overtaken(_who_was_first(locked))
        order = _order(locked, sender_that_can(locked, sender_at(locked)), reply)
        if reply.rule is not None:
            order = replace(order, writers=_writers(reply.rule, locked.service))
        try:
            send = create(order, by=by, now=now)
        except RowsNotTaken as problem:  # the one row there is
            first = problem.rejects[0]
            raise AnswerRefused(first.code, first.reason, field="text") from None
        made = ConversationAnswer.objects.create(
            conversation=locked, send=send, token=reply.token, rule=reply.rule, at=now
        )
        locked.answered += 1
        locked.last_at = max(locked.last_at, now)
        if reply.upto is None or reply.upto >= locked.last_inbound_id:
            notices.no_longer(*locked.told)
            locked.waiting_since = None
        if reply.done:
            end(locked, by=by, now=now)
        locked.save(update_fields=["answered", "last_at", "waiting_since", "done_at", "done_by"])
        audit(
            "reply.answered",
            by=by,
            service=locked.service.slug,
            noun="conversation",
            key=locked.pk,
            send=send.pk,
            by_keyword=reply.rule is not None,
            at_night=reply.at_night,
        )
    return made


def sender_at(conversation: Conversation) -> Sender | None:
    """To which they wrote; None where it is none of ours."""
    return Sender.objects.filter(service=conversation.service_id, address=conversation.address).first()


def sender_that_can(conversation: Conversation, found: Sender | None) -> Sender:
    """The sender, if it can answer this person; raises AnswerRefused."""
    if not conversation.msisdn.startswith("+"):
        says = _("The number of this person is no longer kept, so no answer can be sent.")
        raise AnswerRefused(ProblemCode.NOT_USABLE, says)
    service = conversation.service
    if OptOut.in_force(service.pk, [conversation.msisdn], hides=service.opt_outs_hidden):
        says = _(
            "This person opted out, so no answer can be sent. If they ask for messages again, "
            "an admin can lift the opt-out under Opt-outs."
        )
        raise AnswerRefused(ProblemCode.OPTED_OUT, says)
    address = conversation.address
    if found is None:
        says = _(NO_SENDER.text) % {"address": address} if address else _(NO_SENDER_KNOWN)
        raise AnswerRefused(ProblemCode.NOT_USABLE, says, field="sender")
    if not found.active:
        says = _(ARCHIVED.text) % {"sender": found}
        raise AnswerRefused(ProblemCode.NOT_USABLE, says, field="sender")
    if found.kind == SenderKind.ALPHANUMERIC:
        says = _(NO_NUMBER.text) % {"sender": found}
        raise AnswerRefused(ProblemCode.NOT_USABLE, says, field="sender")
    return found


def _writers(rule: KeywordRule, service: Service) -> frozenset[int]:
    """Who wrote or changed a keyword, or the template that it answers with, wrote its answer too, as the audit has it."""
    things: list[Any] = [rule, *([rule.template] if rule.template else [])]
    by_people = AuditEvent.objects.filter(service_slug=service.slug, actor_kind="user").order_by()
    acts = [by_people.filter(noun=one.audit_noun, noun_key=str(one.pk)) for one in things]
    keys = {int(key) for rows in acts for key in rows.values_list("actor_key", flat=True) if key.isdecimal()}
    people = get_user_model()._default_manager.filter(pk__in=keys)
    return frozenset(people.values_list("pk", flat=True))


def _order(conversation: Conversation, sender: Sender, reply: WrittenAnswer) -> Order:
    one = Recipient(row=1, msisdn=conversation.msisdn, substitutions={})
    # few, and a person waits for it with a phone in hand
    options = reply.options or asking_for(lane=Lane.URGENT, respect_quiet_hours=not reply.at_night)
    return Order(
        service=conversation.service,
        audience=Audience(["number"], "number", [one], []),
        sender=sender,
        content=reply.text,
        name=f"Answer in conversation {conversation.pk}",
        options=options,
        source=gettext_noop("an answer to a reply"),
        key=reply.key,
        transactional=reply.transactional,
    )


def _who_was_first(conversation: Conversation) -> str:
    last: Any = conversation.answers.select_related("send__created_by", "rule").first()
    if last is None:
        return _("A colleague answered this a moment ago.")
    if last.rule_id:
        says = _(
            "The keyword %(keyword)s answered this a moment ago. Read it, then send yours if it is still needed."
        )
        return says % {"keyword": last.rule}
    if who := name_of(last.send.created_by) or last.send.partner:
        says = _("%(who)s answered this a moment ago. Read it, then send yours if it is still needed.")
        return says % {"who": who}
    return _("A colleague answered this a moment ago. Read it, then send yours if it is still needed.")
