"""Answers of keywords: an ordinary send of one for each SMS that asks for it. A job sends them; the SMS says what is owed, so none is lost.

A person gets the answer of one keyword once an hour, and three answers of keywords a day, so that two robots do not go on for ever. That is
looked at while all conversations of the person are locked: another process may be answering the same person.
Quiet hours are heeded. Why an answer was not sent stands with the SMS.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

from sms.catalogue import templates
from sms.compose.errors import ComposeError
from sms.compose.options import asking_for
from sms.models import (
    Actor,
    Conversation,
    ConversationAnswer,
    InboundMessage,
    KeywordRule,
    Lane,
    Message,
)
from sms.models.optout import spellings
from sms.models.sql.clock import corrected_now
from sms.sends.replies.answer import AnswerRefused, WrittenAnswer, answer
from sms.sends.replies.canned import filled_text
from sms.words import KeptSentence

log = structlog.get_logger(__name__)

AT_ONCE = 50
SAME_KEYWORD = timedelta(hours=1)
A_DAY, MOST_A_DAY = timedelta(days=1), 3
BY = Actor.system()
# why an answer was not sent, as it is kept
TAKEN_AWAY = gettext_noop("The keyword was taken away meanwhile.")
LATE = gettext_noop("It came in more than a day late.")
NO_TEXT = KeptSentence(
    gettext_noop("The template %(template)s is archived, or Webex Connect makes its text.")
)
NO_VALUES = KeptSentence(gettext_noop("The template %(template)s needs values that are not known here."))
JUST_ANSWERED = gettext_noop("The same keyword was answered within the last hour.")
ANSWERED_ENOUGH = KeptSentence(
    gettext_noop("Keywords answered this person %(times)s times within a day already.")
)


def answer_due(*, now: datetime | None = None) -> int:
    """Answer what waits, oldest first; returns how many SMS were looked at."""
    waiting = InboundMessage.objects.filter(answer_due=True).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    for pk in ids:
        _answer(pk, now=now or corrected_now())
    return len(ids)


def _answer(pk: int, *, now: datetime) -> None:
    with transaction.atomic():
        sms = InboundMessage.objects.select_for_update().get(pk=pk)
        if not sms.answer_due:  # another process was first
            return
        why = _send(sms, now=now)
        if why:
            log.info("keyword_not_answered", inbound=pk)
        InboundMessage.objects.filter(pk=pk).update(answer_due=False, not_answered=why[:200])


def _send(sms: InboundMessage, *, now: datetime) -> str:
    """Why nothing was sent; empty where it was."""
    rule, conversation = sms.rule, sms.conversation
    if rule is None or conversation is None or not rule.active:
        return TAKEN_AWAY
    if sms.received_at < now - A_DAY:
        return LATE
    if why := _too_often(_locked_with_others(conversation), rule, now=now):
        return why
    text = rule.text
    if rule.template is not None:
        version = templates.published(rule.template) if rule.template.active else None
        if version is None or not version.text:
            return NO_TEXT(template=rule.template)
        answered = Message.objects.filter(pk=sms.message_id).first() if sms.message_id else None
        text = filled_text(version, answered) or ""
        if not text:
            return NO_VALUES(template=rule.template)
    # few, and the person has the phone in hand
    reply = WrittenAnswer(
        text=text,
        token=f"inbound-{sms.pk}",
        rule=rule,
        upto=sms.pk,
        options=asking_for(lane=Lane.URGENT),
    )
    try:
        answer(conversation, reply, by=BY, now=now)
    except (AnswerRefused, ComposeError) as problem:
        return str(problem)
    return ""


def _locked_with_others(conversation: Conversation) -> list[int]:
    """Keys of all conversations with this person, one for each of our numbers that they wrote to."""
    stored = spellings(conversation.service_id, [conversation.msisdn], hides=True)
    rows = Conversation.objects.filter(service=conversation.service_id, msisdn__in=stored).order_by("pk")
    return list(rows.select_for_update().values_list("pk", flat=True))


def _too_often(conversations: list[int], rule: KeywordRule, *, now: datetime) -> str:
    theirs = ConversationAnswer.objects.filter(conversation__in=conversations, rule__isnull=False)
    if theirs.filter(rule=rule, at__gt=now - SAME_KEYWORD).exists():
        return JUST_ANSWERED
    if theirs.filter(at__gt=now - A_DAY).count() >= MOST_A_DAY:
        return ANSWERED_ENOUGH(times=MOST_A_DAY)
    return ""
