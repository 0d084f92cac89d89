"""`manage.py api_key`: a key for a partner system, printed once; or other policies of one that there is."""

from argparse import BooleanOptionalAction
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from sms.catalogue import api_keys
from sms.management.arguments import service_of
from sms.models import Actor, ApiKey, Service
from sms.models.api_key import SCOPES
from sms.models.sql.session import database_now


class Unfolded(DjangoHelpFormatter):
    """Lists keep a line for each entry."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        first, *listed = text.splitlines()
        return [*super()._split_lines(first, width), *listed]


class Command(BaseCommand):
    help = "Make an API key and print it, this once. With --change, give one that there is other policies."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, metavar="SLUG")
        parser.add_argument("--name", help="who uses it")
        parser.formatter_class = Unfolded
        scopes = "".join(f"\n  {name:<13} {may}" for name, may in SCOPES)
        parser.add_argument("--scopes", help=f"what it may do, separated by commas:{scopes}")
        parser.add_argument("--change", metavar="PREFIX", help="the key to change, by how it begins")
        parser.add_argument(
            "--network", action="append", default=[], metavar="CIDR", help="where it may be used from"
        )
        parser.add_argument("--per-minute", type=int, default=6000, metavar="N", help="requests a minute")
        parser.add_argument("--days", type=int, metavar="N", help="usable for so many days")
        parser.add_argument(
            "--test", action="store_true", help="a test key: what it sends is simulated, and reaches no phone"
        )
        for name in ApiKey.POLICIES:
            _add_policy(parser, name)

    def handle(self, *args: Any, **options: Any) -> None:
        service = service_of(options["service"])
        policies = {name: options[name] for name in ApiKey.POLICIES if options[name] is not None}
        try:
            if options["change"]:
                self._change(service, options["change"], policies)
            else:
                self._make(service, options, policies)
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from None

    def _change(self, service: Service, prefix: str, policies: dict[str, Any]) -> None:
        found = service.api_keys.filter(prefix=prefix.rstrip("…")).first()
        if found is None:
            raise CommandError(f"{service.name} has no key that begins with {prefix}.")
        if not policies:
            raise CommandError("Say what to change, for example --purpose transactional.")
        changed = api_keys.change(found, by=Actor.system("cli"), **policies)
        self.stdout.write(f"{found}: {', '.join(changed) or 'nothing'} changed.")

    def _make(self, service: Service, options: dict[str, Any], policies: dict[str, Any]) -> None:
        for needed in ("name", "scopes"):
            if not options[needed]:
                raise CommandError(f"A new key needs --{needed}.")
        days = options["days"]
        _, token = api_keys.make(
            service,
            name=options["name"],
            scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
            networks=options["network"],
            per_minute=options["per_minute"],
            is_test=options["test"],
            expires_at=database_now() + timedelta(days=days) if days is not None else None,
            by=Actor.system("cli"),
            **policies,
        )
        self.stdout.write(token)


def _add_policy(parser: CommandParser, name: str) -> None:
    """`--purpose transactional`, `--takes-jwt` and `--no-takes-jwt`, as the columns have them."""
    field: Any = ApiKey._meta.get_field(name)
    option, says = f"--{name.replace('_', '-')}", str(field.help_text).replace("%", "%%")
    if field.get_internal_type() == "PositiveIntegerField":
        parser.add_argument(option, type=int, metavar="N", help=says)
    elif field.get_internal_type() == "DecimalField":
        parser.add_argument(option, type=Decimal, metavar="N", help=says)
    elif field.get_internal_type() == "CharField" and not field.choices:
        parser.add_argument(option, metavar="WORDS", help=says)
    elif field.choices:
        parser.add_argument(option, choices=[value for value, _ in field.choices], help=says)
    else:
        parser.add_argument(option, action=BooleanOptionalAction, default=None, help=says)
