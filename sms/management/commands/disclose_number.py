"""`manage.py disclose_number`: everything that is held about a number, as a ZIP."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import disclosure
from sms.compliance.archive import ArchiveError
from sms.management.arguments import number_of, service_of, typed_number
from sms.models import Actor


class Command(BaseCommand):
    help = "Write everything that a service holds about a number into a ZIP. The audit records who asked, and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", required=True, help="slug of the service")
        parser.add_argument("--reason", required=True, help="for the audit")
        parser.add_argument("--number", help="the number; better typed when asked for")
        parser.add_argument("--to", type=Path, required=True, help="the ZIP to write; it must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        service = service_of(options["service"])
        if options["to"].exists():
            raise CommandError(f"{options['to']} exists. Name a file that does not.")
        number = number_of(options["number"] or typed_number(), service)
        by = Actor(kind="system", key="", label=getpass.getuser(), door="cli")
        try:
            content = disclosure.disclose(service, number, reason=options["reason"], by=by)
        except ArchiveError as problem:
            raise CommandError(str(problem)) from None
        options["to"].touch(mode=0o600)
        options["to"].write_bytes(content)
        self.stdout.write(f"{options['to']}: {len(content):,} bytes.")
