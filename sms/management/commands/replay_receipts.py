"""`manage.py replay_receipts`: stored receipts through folding once more, after a fix of how they are read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from sms.inbound import receipts
from sms.models import Actor, Service
from sms.models.audit import audit


class Command(BaseCommand):
    """Into the inbox again; the process that folds applies them."""

    help = "Apply stored receipts of a service again. Harmless at any time: a message's state only moves forward."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, help="its short name")
        parser.add_argument("--since", type=_moment, help="received at or after (default: 24 hours ago); UTC")
        parser.add_argument("--until", type=_moment, help="received before (default: now); UTC")
        parser.add_argument(
            "--fold", action="store_true", help="also apply them here, instead of waiting for a dispatcher"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = Service.objects.defer(*Service.secrets()).filter(slug=options["service"]).first()
        if service is None:
            raise CommandError(f"There is no service {options['service']}.")
        now = timezone.now()
        since = options["since"] or now - timedelta(days=1)
        count = sum(receipts.replay(service, since=since, until=options["until"] or now))
        audit("receipts.replayed", service, by=Actor.system("cli"), receipts=count)
        while options["fold"] and receipts.fold():
            pass
        self.stdout.write(
            f"{count} receipts {'were applied' if options['fold'] else 'wait to be applied'} again."
        )


def _moment(text: str) -> datetime:
    """A date or a time; without an offset it is UTC."""
    try:
        at = parse_datetime(text)
        if at is None and (day := parse_date(text)) is not None:
            at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"{text} is no date, such as 2026-03-02 or 2026-03-02T09:15.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
