"""`manage.py replay_receipts`: stored receipts through folding once more, after a fix of how they are read."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sms.inbound import receipts
from sms.management.arguments import moment, service_of
from sms.models import Actor
from sms.models.audit import audit
from sms.models.sql.session import database_now


class Command(BaseCommand):
    help = "Apply stored receipts of a service again. Harmless at any time: a message's state only moves forward."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, help="its short name")
        parser.add_argument("--since", type=moment, help="received at or after (default: 24 hours ago); UTC")
        parser.add_argument("--until", type=moment, help="received before (default: now); UTC")
        parser.add_argument(
            "--fold", action="store_true", help="also apply them here, instead of waiting for a dispatcher"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        service = service_of(options["service"])
        now = database_now()
        since = options["since"] or now - timedelta(days=1)
        count = sum(receipts.replay(service, since=since, until=options["until"] or now))
        audit("receipts.replayed", service, by=Actor.system("cli"), receipts=count)
        while options["fold"] and receipts.fold():
            pass
        says = f"{count} receipts {'were applied' if options['fold'] else 'wait to be applied'} again."
        self.stdout.write(says)
