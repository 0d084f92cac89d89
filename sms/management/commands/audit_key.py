"""`manage.py audit_key --service S`: the key with which an auditor checks an export of that service, and of no other."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sms.management.arguments import service_of
from sms.models import audit_proof


class Command(BaseCommand):
    """One line for each of AUDIT_KEYS, newest first."""

    help = "Print the key of one service's audit. Anyone who has it can also make rows: give it to an auditor, not to a partner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, help="slug; '' for acts of the whole installation")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["service"]
        if slug:
            service_of(slug)
        for key in audit_proof.audit_keys.of(slug):
            self.stdout.write(key.secret.hex())
