"""`manage.py prepare_audiences`: do the work on large audiences that waits, and end. The cluster and `dispatch` start it."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from sms.compose import background


class Command(BaseCommand):
    """One process beside the others, so that a hundred thousand rows slow down neither sending nor receipts."""

    help = "Read, check and write out large audiences that wait, then end. The cluster and `dispatch` start it by themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until nothing waits, or a signal: then the block under way is committed, and another process continues after it."""
        asked: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            del frame
            asked.append(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, note)
        background.run(stopped=lambda: bool(asked))
