"""`manage.py judge_clicks`: judge stored clicks again after the rules changed, in small transactions while Textdesk runs."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from sms.inbound.clicks.verdicts import RULES
from sms.inbound.receipts import judge_history


class Command(BaseCommand):
    help = "Judge clicks that older rules judged (human, machine or unsure), and correct the sends' numbers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=_moment, help="only messages clicked at or after, e.g. 2026-03-02; UTC"
        )
        parser.add_argument("--all", action="store_true", help="also what the present rules judged")
        parser.add_argument("--batch", type=int, default=500, help="messages in one transaction (500)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run to the end; a line for every twenty batches and one at the end."""
        if options["batch"] < 1:
            raise CommandError("--batch is at least 1.")
        messages = changed = 0
        steps = judge_history(since=options["since"], everything=options["all"], batch=options["batch"])
        for number, step in enumerate(steps, 1):
            messages, changed = messages + step.messages, changed + step.changed
            if number % 20 == 0:
                self.stdout.write(f"… {messages} messages, up to message {step.last_id}")
        self.stdout.write(f"Rules {RULES}: {messages} messages judged, {changed} verdicts changed.")


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
