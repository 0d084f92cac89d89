"""`manage.py import_receipts`: fill a gap from the provider's CSV export of receipts."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.inbound import receipts
from sms.ledger import wakeups
from sms.management.arguments import service_of
from sms.models import Actor
from sms.models.audit import audit


class Command(BaseCommand):
    help = "Import a CSV of receipts (a payload column, or correlationid/transid and code/deliveryStatus) for a service."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--service", required=True, help="its short name")

    def handle(self, *args: Any, **options: Any) -> None:
        service = service_of(options["service"])
        try:
            found = receipts.import_export(service, options["file"].read_bytes())
        except OSError as problem:
            raise CommandError(f"{options['file']} cannot be read: {problem.strerror}.") from None
        except receipts.NotAnExport as problem:
            raise CommandError(str(problem)) from None
        audit("receipts.imported", service, by=Actor.system("cli"), rows=found.rows, new=found.new)
        wakeups.fold()
        self.stdout.write(
            f"{found.rows} rows: {found.new} imported, {found.known} known already, {found.refused} refused."
        )
        for row, reason in found.wrong:
            self.stderr.write(f"Row {row}: {reason}")
