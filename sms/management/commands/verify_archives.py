"""`manage.py verify_archives`: whether archive files hold what was written into them. Exit code 1 and the first broken one where not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import archive
from sms.management.arguments import service_of


class Command(BaseCommand):
    help = "Verify archive files: whole files, every block, and the messages in them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="slug of one service")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = service_of(options["service"]).pk if options["service"] else None
        files = messages = broken = 0
        for verdict in archive.verify(chosen):
            files, messages = files + 1, messages + verdict.messages
            if verdict.broken:
                broken += 1
                self.stderr.write(verdict.broken)
        for name in archive.unknown_files() if chosen is None else []:
            words = "is in the folder and in no manifest; no message of this installation is in it."
            self.stderr.write(f"{name} {words}")
        if broken:
            raise CommandError(
                f"{broken} of {files} archives do not hold. docs/operators/personal-data.md says what to do."
            )
        self.stdout.write(f"All {files:,} archives hold: {messages:,} messages.")
