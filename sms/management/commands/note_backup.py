"""`manage.py note_backup`: your backup script says that it made one, so that /status and /metrics show when that was."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sms.models import BackupNote
from sms.operations.own_facts import HOST


class Command(BaseCommand):
    help = "Note that a backup was made just now. Call it as the last step of the script that makes it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", default="", help="what was made, for example: base backup")

    def handle(self, *args: Any, **options: Any) -> None:
        made = BackupNote.objects.create(host=HOST, what=options["what"][:100])
        kept = BackupNote.objects.values_list("pk", flat=True)[: BackupNote.KEPT]
        BackupNote.objects.exclude(pk__in=list(kept)).delete()
        self.stdout.write(f"Noted as number {made.pk}.")
