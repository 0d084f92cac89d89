"""`manage.py judge_clicks`: judge stored clicks again after the rules changed, in small transactions while Textdesk runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.inbound.clicks.verdicts import RULES
from sms.inbound.receipts import judge_history
from sms.management.arguments import moment


class Command(BaseCommand):
    help = "Judge clicks that older rules judged (human, machine or unsure), and correct the sends' numbers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=moment, help="only messages clicked at or after, e.g. 2026-03-02; UTC"
        )
        parser.add_argument("--all", action="store_true", help="also what the present rules judged")
        parser.add_argument("--batch", type=int, default=500, help="messages in one transaction (500)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch is at least 1.")
        messages = changed = 0
        steps = judge_history(since=options["since"], everything=options["all"], batch=options["batch"])
        for number, step in enumerate(steps, 1):
            messages, changed = messages + step.messages, changed + step.changed
            if number % 20 == 0:
                self.stdout.write(f"… {messages} messages, up to message {step.last_id}")
        self.stdout.write(f"Rules {RULES}: {messages} messages judged, {changed} verdicts changed.")
