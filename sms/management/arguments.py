"""What several commands read: a service, a moment, a number that is typed unseen, and the signal that ends them."""

import getpass
import signal
from collections.abc import Callable
from datetime import UTC, datetime

from django.core.management.base import CommandError
from django.utils.dateparse import parse_date, parse_datetime

from sms.models import Service
from sms.values.msisdn import BadNumber, certain


def service_of(slug: str) -> Service:
    """Without its secrets, of which one that cannot be read must not stop a command that needs none."""
    found = Service.objects.defer(*Service.secrets()).filter(slug=slug).first()
    if found is None:
        raise CommandError(f"There is no service {slug}.")
    return found


def moment(text: str) -> datetime:
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


def typed_number() -> str:
    """From the keyboard, so that it stands in no shell's history."""
    return getpass.getpass("Number (not shown): ")


def number_of(typed: str, service: Service) -> str:
    try:
        return certain(typed, country=service.default_country)
    except BadNumber as problem:
        raise CommandError(f"{problem} Write it with + and country code.") from None


def until_signal() -> Callable[[], bool]:
    """Whether SIGTERM or Ctrl-C came since this was called."""
    caught: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: caught.append(number))
    return lambda: bool(caught)
