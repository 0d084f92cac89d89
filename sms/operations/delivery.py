"""By which ways operators are told: the log, mail, a webhook, and notices. Only the last need a database.

A way that fails is not forgotten: who tells keeps what is owed by it, and tries again.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from sms import notices
from sms.models import NoticeKind, Service
from sms.notices.people import holding, superusers
from sms.operations.faults import AUDIT, NOT_TOLD, OVER, PROVIDER, Fault
from sms.operations.own_facts import HOST
from sms.values.mail_subject import one_line
from sms.words import retold

log = structlog.get_logger(__name__)

DEADLINE = 10.0  # seconds for each way
AGAIN = (
    15.0  # seconds for which a way that failed is left alone, so that no look waits for it again and again
)
LOG, MAIL, WEBHOOK, NOTICE = "log", "mail", "webhook", "notice"


@dataclass(frozen=True, slots=True)
class FaultDelivery:
    """`mail_to` and `webhook` are what the operator has set. Every admin is told too, while there is a database to look them up in."""

    public_url: str
    mail_to: tuple[str, ...] = ()
    webhook: str = ""
    clock: Callable[[], float] = time.monotonic
    _rests: dict[str, float] = field(default_factory=dict)  # until when a way that failed is left alone

    def ways(self, fault: Fault) -> list[str]:
        """By which it is told. That one of them fails is told by the others; the check of the audit tells people itself."""
        set_up = [LOG, *([MAIL] if self.mail_to else []), *([WEBHOOK] if self.webhook else []), NOTICE]
        without = fault.where if fault.word == NOT_TOLD else NOTICE if fault.word == AUDIT else ""
        return [way for way in set_up if way != without]

    def tell(self, fault: Fault, ways: Iterable[str], *, since: datetime, over: bool = False) -> list[str]:
        """That it began, or is over. Returns the ways that did not take it, by which it is still owed."""
        by = {LOG: self._log, MAIL: self._mail, WEBHOOK: self._post, NOTICE: self._notify}
        owed = []
        for way in ways:
            if self.clock() < self._rests.get(way, float("-inf")):
                owed.append(way)
            elif not by[way](fault, since, over):
                self._rests[way] = self.clock() + AGAIN
                owed.append(way)
        return owed

    def _log(self, fault: Fault, since: datetime, over: bool) -> bool:
        say = log.info if over else log.error
        say("fault_over" if over else "fault", fault=fault.word, where=fault.where, sentence=fault.says)
        return True

    def _mail(self, fault: Fault, since: datetime, over: bool) -> bool:
        says = retold(fault.says)
        title = _("Over: %(fault)s") if over else _("Does not work: %(fault)s")
        told = (
            _("Since: %(time)s UTC") % {"time": f"{since:%Y-%m-%d %H:%M:%S}"},
            _("Told by: %(host)s") % {"host": HOST},
            _("Everything at a glance: %(address)s") % {"address": f"{self.public_url}/status"},
        )
        body = "\n".join((title % {"fault": says}, "", *told, ""))
        try:
            connection = get_connection(timeout=DEADLINE)
            subject = _("Textdesk: over: %(fault)s") if over else _("Textdesk: does not work: %(fault)s")
            subject = (subject % {"fault": says})[:150]
            EmailMessage(
                subject=one_line(subject), body=body, to=list(self.mail_to), connection=connection
            ).send()
        except OSError as problem:
            log.error("fault_mail_not_sent", error=repr(problem)[:300])
            return False
        return True

    def _post(self, fault: Fault, since: datetime, over: bool) -> bool:
        said = {
            "text": f"Textdesk: {'over: ' if over else ''}{fault.says}",  # what chat systems show
            "state": "over" if over else "begun",
            "fault": fault.word,
            "where": fault.where,
            "says": fault.says,
            "since": since.isoformat(),
            "host": HOST,
            "status": f"{self.public_url}/status",
        }
        request = urllib.request.Request(  # noqa: S310 - the operator's own setting, checked to be http
            self.webhook, json.dumps(said).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE):  # noqa: S310 - as above
                return True
        except (OSError, ValueError) as problem:
            log.error("fault_webhook_not_taken", error=repr(problem)[:300])
            return False

    def _notify(self, fault: Fault, since: datetime, over: bool) -> bool:
        """Of what stops one service, its admins; of everything else, the admins of all."""
        service = Service.objects.filter(slug=fault.where).first() if fault.word == PROVIDER else None
        concerned = [service] if service else list(Service.objects.only("pk"))
        try:
            with transaction.atomic():
                notices.tell(
                    NoticeKind.OPERATIONS,
                    superusers().union(*(holding(one, "admin") for one in concerned)),
                    event=f"fault:{fault.word}:{fault.where}:{since:%s}:{'over' if over else 'begun'}"[:100],
                    says=OVER(fault=fault.says) if over else fault.says,
                    service=service,
                    page="status",
                )
            notices.send_due(
                public_url=self.public_url
            )  # whoever does it otherwise may be what does not work
        except DatabaseError as problem:
            log.error("fault_notices_not_written", error=type(problem).__name__)
            return False
        return True
