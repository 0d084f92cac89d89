"""By which ways operators are told: mail, a webhook, and notices. Mail and webhook need no database."""

import json
import urllib.request
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, transaction

from sms import notices
from sms.models import NoticeKind, Service
from sms.notices.people import holding, superusers
from sms.operations.faults import PROVIDER, Fault
from sms.operations.own_facts import HOST
from sms.values.mail_subject import one_line

log = structlog.get_logger(__name__)

DEADLINE = 10.0  # seconds for each way


@dataclass(frozen=True, slots=True)
class FaultDelivery:
    """`mail_to` and `webhook` are what the operator has set. Every admin is told too, while there is a database to look them up in."""

    public_url: str
    mail_to: tuple[str, ...] = ()
    webhook: str = ""

    def tell(self, fault: Fault, *, since: datetime, over: bool, people: bool) -> bool:
        """That it began, or is over; `people`: also by notices. False where every way failed, so that it is worth another try."""
        say = log.info if over else log.error
        say("fault_over" if over else "fault", fault=fault.word, where=fault.where, sentence=fault.says)
        ways = [
            *([self._mail] if self.mail_to else []),
            *([self._post] if self.webhook else []),
            *([self._notify] if people else []),
        ]
        taken = [way(fault, since, over) for way in ways]  # all of them
        return not ways or any(taken)

    def _mail(self, fault: Fault, since: datetime, over: bool) -> bool:
        said = "Over" if over else "Does not work"
        body = (
            f"{said}: {fault.says}\n\nSince: {since:%Y-%m-%d %H:%M:%S} UTC\nTold by: {HOST}\n"
            f"Everything at a glance: {self.public_url}/status\n"
        )
        try:
            connection = get_connection(timeout=DEADLINE)
            subject = f"Textdesk: {said.lower()}: {fault.says}"[:150]
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
                    says=f"Over: {fault.says}" if over else fault.says,
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
