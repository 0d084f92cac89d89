"""An incoming SMS put into the conversation that it belongs to, which is open again. Called where an SMS is read, under the lock of its
service's opt-outs, so that SMS of one service come one by one.
"""

from sms.inbound.optouts.own_keywords import OPEN_TO_RULES, rule_in
from sms.models import Conversation, InboundMessage
from sms.models.optout import spellings
from sms.models.sql.clock import corrected_now

BY_ITSELF = "Textdesk"  # as `Actor.system` is called


def put_in(message: InboundMessage, *, ours: str) -> None:
    """Give the SMS, which is read and not saved yet, its conversation and the keyword that it says. `ours`: what it answers."""
    rule = None
    if message.meaning in OPEN_TO_RULES:
        rule = rule_in(message.text, service_id=message.service_id, ours=ours)
    message.rule, message.matched = rule, rule.keyword if rule else ""
    message.answer_due = rule is not None and rule.answers
    settled = rule.settles if rule else _is_plain_word(message)
    message.conversation = _conversation_of(message, settled=settled)
    if rule is not None and rule.label_id:
        message.conversation.labels.add(rule.label_id)


def _is_plain_word(message: InboundMessage) -> bool:
    """STOP or START and nothing else: it is done as asked, and nobody has to read it."""
    return message.sure and message.meaning in (InboundMessage.Meaning.STOP, InboundMessage.Meaning.START)


def _conversation_of(message: InboundMessage, *, settled: bool) -> Conversation:
    address = message.address.removeprefix("+")
    stored = spellings(message.service_id, [message.msisdn], hides=True)
    rows = Conversation.objects.filter(service=message.service_id, msisdn__in=stored, address=address)
    # one whose number is kept no longer is gone on with, unless there is a newer one
    found = max(rows.select_for_update(), key=lambda one: one.msisdn.startswith("+"), default=None)
    if found is None:
        found = Conversation(
            service_id=message.service_id, address=address, msisdn=message.msisdn, last_at=message.received_at
        )
        if settled:
            found.done_at, found.done_by = corrected_now(), BY_ITSELF
    if not found.msisdn.startswith("+"):
        found.msisdn = message.msisdn
    found.last_inbound_id = max(found.last_inbound_id, message.pk)
    found.last_at = max(found.last_at, message.received_at)
    if not settled:
        found.done_at, found.done_by = None, ""
        found.waiting_since = min(filter(None, (found.waiting_since, message.received_at)))
    found.save()
    return found
