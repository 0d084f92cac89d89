"""`manage.py check_facts`: whether the facts that reports read equal the ledger. Exit code 1 and the first difference where not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sms.reports import facts


class Command(BaseCommand):
    help = (
        "Compare the facts that reports read with messages, clicks and opt-outs; names the first difference."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Both as of one moment; on SQLite nothing else is written until it ends."""
        try:
            done, found = facts.compare()
        except facts.Busy:
            raise CommandError("Facts are being folded or rebuilt just now. Try again in a minute.") from None
        if found is not None:
            says = f"Facts and ledger differ. {found} `manage.py rebuild_facts` makes them again."
            raise CommandError(says)
        self.stdout.write(f"Facts equal the ledger: {done:,} messages.")
