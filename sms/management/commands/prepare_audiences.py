"""`manage.py prepare_audiences`: do the work on large audiences that waits, and end. The cluster and `dispatch` start it."""

from typing import Any

from django.core.management.base import BaseCommand

from sms.compose import background
from sms.management.arguments import until_signal


class Command(BaseCommand):
    """One process beside the others, so that a hundred thousand rows slow down neither sending nor receipts."""

    help = "Read, check and write out large audiences that wait, then end. The cluster and `dispatch` start it automatically."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until nothing waits, or a signal: then the block under way is committed, and another process continues after it."""
        background.run(stopped=until_signal())
