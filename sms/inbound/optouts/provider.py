"""Opt-outs that the provider's receipts report. Called while receipts are folded, in that transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext_noop

from sms.inbound.optouts.acts import Refusal, opt_out
from sms.ledger.state_machine import StateChange
from sms.models import Actor, Message, MessageState, OptOut
from sms.models.optout import spellings
from sms.models.sql.id_list import among
from sms.models.sql.opt_outs import lock_opt_outs
from sms.webex import codes
from sms.words import KeptSentence

# A person's own no. Consent that has expired, a group that a person is not in and a cap that is reached are none.
REFUSING = frozenset(
    {
        "7109",  # on a do-not-disturb list
        "7720",  # has blocked the sender, as operators do after STOP
        "9002",  # has not consented
        "20002",  # the same, in the contact-policy service's own numbers
    }
)
# Translators: meaning is the meaning of the code.
BY_CODE = KeptSentence(gettext_noop("Receipt with code %(code)s: %(meaning)s"))
BY = Actor(kind="system", key="", label=gettext_noop("The provider's receipt"), door="provider")


def learn(changes: Iterable[StateChange]) -> int:
    """Opt out every person whose message failed with a code that says that they refused; returns how many are new.

    What was lifted since the receipt was written stays lifted, so that replaying receipts changes nothing. To be called before any
    message is locked: dispatchers lock in that order.
    """
    refused = {
        change.message_id: change
        for change in changes
        if change.state == MessageState.FAILED and change.code in REFUSING
    }
    if not refused:
        return 0
    # a number that a test key wrote to has said nothing, whoever it belongs to
    rows = Message.objects.filter(pk__in=among(sorted(refused)), send__simulated=False).order_by("pk")
    by_service: dict[int, list[tuple[StateChange, str, int]]] = defaultdict(list)
    columns = rows.values_list("pk", "attempt", "msisdn", "send_id", "send__service_id")
    for pk, attempt, msisdn, send_id, service_id in columns:
        if refused[pk].attempt <= attempt:
            by_service[service_id].append((refused[pk], msisdn, send_id))
    lock_opt_outs(by_service)
    new = 0
    for service_id, found in sorted(by_service.items()):
        stored = spellings(service_id, (msisdn for _, msisdn, _ in found))
        rows_of = (
            OptOut.objects.filter(service_id=service_id, lifted_at__isnull=False, msisdn__in=stored)
            .order_by()
            .values_list("msisdn")
            .annotate(last=Max("lifted_at"))
        )
        last: dict[str, datetime] = {}
        for msisdn, at in rows_of:
            last[stored[msisdn]] = max(at, last.get(stored[msisdn], at))
        refusals = [
            Refusal(
                msisdn,
                BY_CODE(code=failure.code, meaning=codes.lookup(failure.code).meaning),
                send_id,
                message_id=failure.message_id,
            )
            for failure, msisdn, send_id in found
            if msisdn.startswith("+")
            if msisdn not in last or last[msisdn] < failure.at
        ]
        new += len(opt_out(service_id, refusals, by=BY, source=OptOut.Source.PROVIDER))
    return new
