"""`manage.py rebuild_facts`: throw the facts of the reports away and make them again from the ledger, while Textdesk runs.

The cluster and `manage.py dispatch` start it where the time zone of a service was changed.
"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sms.reports import facts


class Command(BaseCommand):
    help = "Make the facts that reports read again from messages, clicks and opt-outs."

    def handle(self, *args: Any, **options: Any) -> None:
        started, quiet = time.monotonic(), options["verbosity"] == 0

        def say(line: str) -> None:
            if not quiet:
                self.stdout.write(line)

        try:
            done = facts.rebuild(progress=lambda count: say(f"… {count:,} messages"))
        except facts.Busy:
            says = "Facts are being folded or compared just now. Try again in a minute."
            raise CommandError(says) from None
        took = time.monotonic() - started
        say(f"{done:,} messages in {took:.1f} s, {done / max(took, 0.001):,.0f} a second.")
