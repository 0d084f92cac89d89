"""`manage.py api_key`: a key for a partner system, printed once."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sms.catalogue import api_keys
from sms.models import Actor, Service


class Command(BaseCommand):
    help = "Make an API key and print it, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, help="who uses it")
        parser.add_argument(
            "--scopes", required=True, help="send, read, optouts, catalogue, callbacks; separated by commas"
        )
        parser.add_argument(
            "--network", action="append", default=[], metavar="CIDR", help="where it may be used from"
        )
        parser.add_argument("--per-minute", type=int, default=6000, metavar="N", help="requests a minute")
        parser.add_argument("--days", type=int, metavar="N", help="usable for so many days")
        parser.add_argument("--test", action="store_true", help="reaches a sandbox only")

    def handle(self, *args: Any, **options: Any) -> None:
        service = Service.objects.filter(slug=options["service"]).first()
        if service is None:
            raise CommandError(f"There is no service {options['service']}.")
        days = options["days"]
        try:
            _, token = api_keys.make(
                service,
                name=options["name"],
                scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
                networks=options["network"],
                per_minute=options["per_minute"],
                is_test=options["test"],
                expires_at=timezone.now() + timedelta(days=days) if days is not None else None,
                by=Actor.system("cli"),
            )
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None
        self.stdout.write(token)
