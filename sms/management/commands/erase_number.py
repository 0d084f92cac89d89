"""`manage.py erase_number`: erase a number from a service, or once more what was erased before a backup was restored."""

import getpass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import erasure
from sms.compliance.archive import ArchiveError
from sms.models import Actor, Erasure, Service
from sms.values.msisdn import BadNumber, parse


class Command(BaseCommand):
    """Reads the number from the keyboard, so that it stands in no shell's history; --number for scripts."""

    help = "Erase a number everywhere, with a certificate. Exit code 1 where it has to wait or something is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="slug of one service; without it every service")
        parser.add_argument("--reason", default="", help="for certificate and audit")
        parser.add_argument(
            "--number", help="the number; better typed when asked for, or given on standard input"
        )
        parser.add_argument(
            "--again", action="store_true", help="after a restored backup: everything that was erased before"
        )
        parser.add_argument("--list", type=Path, help="with --again: erased.jsonl of another place")

    def handle(self, *args: Any, **options: Any) -> None:
        services = list(Service.objects.order_by("pk"))
        if options["service"]:
            services = [one for one in services if one.slug == options["service"]]
            if not services:
                raise CommandError(f"There is no service {options['service']!r}.")
        if not options["again"] and not options["reason"].strip():
            raise CommandError("Say why, with --reason. It stands on the certificate.")
        by = Actor(kind="system", key="", label=getpass.getuser(), door="cli")
        asked = self._again(services, options, by) if options["again"] else self._new(services, options, by)
        if not asked:
            self.stdout.write("Nothing that was erased before is here again.")
        open_ = [one for one in asked if not self._one(one)]
        if open_:
            raise CommandError(
                f"{len(open_)} of {len(asked)} erasures are not complete. See above for the way out."
            )

    def _new(self, services: list[Service], options: dict[str, Any], by: Actor) -> list[Erasure]:
        written = options["number"] or getpass.getpass("Number (not shown): ")
        asked = []
        for service in services:
            try:
                number = parse(written, country=service.default_country).e164
            except BadNumber as problem:
                raise CommandError(f"{problem} Write it with + and country code.") from None
            asked.append(erasure.ask(service, number, reason=options["reason"], by=by))
        return asked

    def _again(self, services: list[Service], options: dict[str, Any], by: Actor) -> list[Erasure]:
        asked: list[Erasure] = []
        for service in services:
            digests = list(erasure.read_list(options["list"], service.slug)) if options["list"] else []
            asked += erasure.again(service, by=by, digests=digests)
        return asked

    def _one(self, one: Erasure) -> bool:
        try:
            done = erasure.perform(one, folder=settings.VAR_DIR)
        except ArchiveError as problem:
            self.stderr.write(f"Erasure {one.pk} is not through: {problem}")
            return False
        if not done:
            self.stderr.write(f"Erasure {one.pk} waits. {one.waits_for}")
            return False
        one.refresh_from_db()
        said = one.certificate
        self.stdout.write(
            f"Erasure {one.pk}, {said['service']}: {said['changed']:,} changed, {said['left']:,} left."
        )
        for entry in said["places"]:
            if entry["changed"] or entry["left"]:
                note = f" ({entry['note']})" if entry["note"] else ""
                self.stdout.write(f"  {entry['place']}: {entry['changed']:,}, {entry['left']:,} left{note}")
        return not said["left"]
