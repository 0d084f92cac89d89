"""`manage.py report_files`: write the long reports that wait as files, and end. The cluster and `manage.py dispatch` start it."""

from typing import Any

from django.core.management.base import BaseCommand

from sms import reports
from sms.management.arguments import until_signal


class Command(BaseCommand):
    """One process beside the others, for as long as a million lines take."""

    help = "Write reports that wait as files, then end. The cluster and `dispatch` start it automatically."

    def handle(self, *args: Any, **options: Any) -> None:
        """Until nothing waits, or a signal: then the file under way is started again by the next process."""
        reports.make_files(stopped=until_signal())
