"""The desk of the demo as a team would leave it for a moment: a contract, prices, rules, ninety days behind it, and work that waits."""

from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from portal.demo.customers import Customer, everybody
from portal.demo.entries import ADDRESSES, NEW_SENDER, PRICES, RATE, SLUG
from portal.demo.past import Past
from portal.models import User
from sms.audiences.files import Audience, Limits, read_pasted
from sms.catalogue import prices
from sms.compose.create import create
from sms.compose.order import Order
from sms.models import Actor, ApprovalRules, Draft, Notice, Send, Sender, Service
from sms.models.approval import Approvers
from sms.models.audit import audit
from sms.reports import facts
from sms.sends import holds
from sms.values.csv import csv_line

SEED = 20
DAYS = 90


def furnish(service: Service, *, days: int = DAYS) -> int:
    """Fill a demo that nobody has used, once; returns how many messages of the past it has now, 0 where somebody's own work is there."""
    with transaction.atomic():
        Service.objects.select_for_update(no_key=True).get(
            pk=service.pk
        )  # of two starts the second finds it done
        if not _is_untouched(service):
            return 0
        chance = Random(SEED)  # noqa: S311 - chance, not secrecy
        customers = everybody(chance)
        composer = User.objects.get(email=ADDRESSES[0])
        _contract(service)
        made = Past(service, customers, composer, chance, days=days).make()
        _work(service, customers, composer)
        Notice.objects.filter(service=service).update(mail_due_at=None)  # nobody has these addresses
        audit("service.demo_furnished", service, by=Actor.system("cli"), messages=made)
    facts.fold()
    return made


def _is_untouched(service: Service) -> bool:
    """Nothing of anybody's own is in this database."""
    return (
        service.slug == SLUG
        and service.is_sandbox
        and service.paused_at is None
        and not Service.objects.exclude(pk=service.pk).exists()
        and not User.objects.exclude(email__in=ADDRESSES).exists()
        and not Send.objects.exists()
        and not Draft.objects.exists()
    )


def _contract(service: Service) -> None:
    service.rate = RATE
    service.save(update_fields=["rate"])
    prices.replace(service, prices.read(PRICES), by=Actor.system("cli"))
    # what the desk has always sent from needs no approval, a sender that is new does
    ApprovalRules.objects.update_or_create(
        service=service, defaults={"new_sender": Approvers.ONE, "valid_hours": 168}
    )


def _work(service: Service, customers: list[Customer], composer: User) -> None:
    """A send that is scheduled, one that waits for its approval, and one that a person stopped."""
    by = Actor.person(composer)
    templates = {one.name: one for one in service.templates.all()}
    new_sender = Sender.objects.create(service=service, address=NEW_SENDER[0], kind=NEW_SENDER[1])
    create(
        Order(
            service=service,
            name="Reminders for tomorrow",
            sender=service.senders.get(address="72345"),
            template=templates["appointment"],
            audience=_audience(customers[:24], date="Thursday", time="10:30"),
            due_at=_at(service, days=1, hour=16),
            source="appointments.xlsx",
        ),
        by=by,
    )
    create(
        Order(
            service=service,
            name="Open day invitation",
            sender=new_sender,
            content="Hi $(name), our doors are open on Saturday from 10 to 4. Coffee is on us. Reply to 72345 to bring a friend.",
            audience=_audience(customers[40:160]),
            due_at=_at(service, days=5, hour=10),
            source="open-day.csv",
        ),
        by=by,
    )
    held = create(
        Order(
            service=service,
            name="Late delivery notice",
            sender=service.senders.get(address="TEXTDESK"),
            content="Hi $(name), your parcel comes a day later than planned. We are sorry.",
            audience=_audience(customers[170:188]),
            source="late-parcels.csv",
        ),
        by=by,
    )
    holds.hold(held, by=by, because="The depot may still make it today. Ask before it goes out.")


def _audience(customers: list[Customer], **columns: str) -> Audience:
    lines = [csv_line("name", "number", *columns)]
    lines += [csv_line(one.name.split()[0], one.msisdn, *columns.values()) for one in customers]
    return read_pasted("".join(lines), country="GB", limits=Limits())


def _at(service: Service, *, days: int, hour: int) -> datetime:
    zone = ZoneInfo(service.clock)
    day = timezone.now().astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(hour), zone)
