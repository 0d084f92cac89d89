"""`manage.py after_restore`: settle what a restored copy of the database does not know, before anything of it is sent."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms import dispatch
from sms.inbound import optouts, receipts
from sms.management.arguments import service_of
from sms.models import Actor, RestoredCopy, Service
from sms.models.audit import audit
from sms.sends import after_restore

BY_HAND = "An operator said that this database was restored."


class Command(BaseCommand):
    """May be run again, also after it was killed. Leaves every service paused."""

    help = (
        "After a backup was restored or a standby promoted: receipts prove what was sent, and the rest is unconfirmed. "
        "Run it with all dispatchers stopped; services stay paused until a person resumes them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="only this one, by its short name")
        parser.add_argument(
            "--export", type=Path, action="append", default=[], metavar="FILE",
            help="receipts as import_receipts takes them, of --service; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--again", action="store_true",
            help="once: the backup holds an earlier restore, not settled or not resumed then, and nothing noticed this one",
        )  # fmt: skip
        parser.add_argument(
            "--not-restored", metavar="REASON", help="nothing was lost: let people resume the services"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        by, denied = Actor.system("cli"), options["not_restored"]
        if options["export"] and not options["service"]:
            raise CommandError("Say of which service the export is: --service NAME.")
        if denied is not None and not denied.strip():
            raise CommandError("Say why nothing was lost.")
        services = [service_of(options["service"])] if options["service"] else list(
            Service.objects.defer(*Service.secrets()).order_by("pk")
        )  # fmt: skip
        dispatch.epochs.check()
        if denied is None:
            self._declare(services, again=options["again"])
        copies = RestoredCopy.objects.filter(service__in=services).select_related("service")
        copies = copies.defer(*Service.secrets("service")).order_by("service", "-pk")
        newest = {copy.service_id: copy for copy in reversed(copies)}.values()
        if denied is not None:
            unsettled = [copy for copy in newest if copy.settled_at is None]
            for copy in unsettled:
                after_restore.deny(copy, because=denied, by=by)
            self.stdout.write(f"{len(unsettled)} services may be resumed.")
            return
        brought = after_restore.bring_in()
        self.stdout.write(f"{brought} posts of the provider were on the spools of this host.")
        if left := receipts.spool.waiting()[0] + optouts.inbound_spool.waiting()[0]:
            self.stderr.write(
                f"{left} files could not be brought in: what is in them still counts when it can."
            )
        for path in options["export"]:
            self._import(services[0], path, by)
        for copy in sorted(newest, key=lambda one: one.service_id):
            self._settle(copy, by)

    def _declare(self, services: list[Service], *, again: bool) -> None:
        """Where nothing was found by itself, the operator's word counts; services that nobody has resumed since are not found anew."""
        newest = {copy.service_id: copy for copy in RestoredCopy.objects.order_by("pk")}
        if again or not all(_stands_still(one, newest.get(one.pk)) for one in services):
            dispatch.epochs.declare(BY_HAND)

    def _import(self, service: Service, path: Path, by: Actor) -> None:
        try:
            found = receipts.import_export(Service.objects.get(pk=service.pk), path.read_bytes())
        except OSError as problem:
            raise CommandError(f"{path} cannot be read: {problem.strerror}.") from None
        except receipts.NotAnExport as problem:
            raise CommandError(str(problem)) from None
        audit("receipts.imported", service, by=by, rows=found.rows, new=found.new)
        self.stdout.write(f"{path}: {found.rows} rows, {found.new} new receipts, {found.refused} refused.")
        for row, reason in found.wrong:
            self.stderr.write(f"Row {row}: {reason}")

    def _settle(self, copy: RestoredCopy, by: Actor) -> None:
        before = copy.settled_at
        found = after_restore.settle(copy, by=by)
        figures = ", ".join(
            f"{getattr(found, one.name)} {one.name.replace('_', ' ')}" for one in fields(found)
        )
        left = after_restore.left_over(copy.service)
        since = (
            f" It was settled before, on {before:%-d %B, %H:%M} UTC: what was made since is left as it is."
            if before
            else ""
        )
        self.stdout.write(
            f"{copy.service.slug}: {figures}. {left} messages are unconfirmed now. It stays paused until a person resumes it.{since}"
        )


def _stands_still(service: Service, copy: RestoredCopy | None) -> bool:
    """Whether it was found to be a restored copy and has sent nothing since."""
    if copy is None:
        return False
    if copy.settled_at is None:
        return True
    denied = not copy.attempts_from  # who now says that it is one is believed
    return not denied and service.paused_at is not None and service.paused_at <= copy.settled_at
