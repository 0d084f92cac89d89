"""`manage.py erase_number`: erase a number from a service, or once more what was erased before a backup was restored."""

import getpass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import erasure
from sms.compliance.archive import ArchiveError
from sms.management.arguments import number_of, service_of, typed_number
from sms.models import Actor, Erasure, Service


class Command(BaseCommand):
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
        slug = options["service"]
        services = [service_of(slug)] if slug else list(Service.objects.order_by("pk"))
        if not options["again"] and not options["reason"].strip():
            raise CommandError("Say why, with --reason. It stands on the certificate.")
        by = Actor(kind="system", key="", label=getpass.getuser(), door="cli")
        asked = self._again(services, options, by) if options["again"] else self._new(services, options, by)
        if not asked:
            self.stdout.write("Nothing that was erased before is here again.")
        open_ = [one for one in asked if not self._one(one)]
        if open_:
            many = f"{len(open_)} of {len(asked)} erasures"
            raise CommandError(f"{many} are not complete. See above for the way out.")

    def _new(self, services: list[Service], options: dict[str, Any], by: Actor) -> list[Erasure]:
        written, reason = options["number"] or typed_number(), options["reason"]
        numbers = [(service, number_of(written, service)) for service in services]
        return [erasure.ask(service, number, reason=reason, by=by) for service, number in numbers]

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
        says = f"Erasure {one.pk}, {said['service']}: {said['changed']:,} changed, {said['left']:,} left."
        self.stdout.write(says)
        for entry in said["places"]:
            if entry["changed"] or entry["left"]:
                note = f" ({entry['note']})" if entry["note"] else ""
                self.stdout.write(f"  {entry['place']}: {entry['changed']:,}, {entry['left']:,} left{note}")
        return not said["left"]
