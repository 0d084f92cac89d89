"""`manage.py retain`: what retention would remove, or remove it now. Textdesk does the same by itself, once an hour."""

from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import retention
from sms.compliance.retention.words import KINDS
from sms.management.arguments import service_of, until_signal
from sms.models import Actor, Duty, Service
from sms.models.duty import HeldDuty
from sms.models.sql.clock import host_clock
from sms.models.sql.session import database_now


class Command(BaseCommand):
    help = "Remove what services keep no longer. --dry-run says what that would be and changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="slug of one service")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, change nothing")
        parser.add_argument(
            "--no-rest", action="store_true", help="work without pauses: only while nothing is sent"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["service"]
        services = [service_of(slug)] if slug else list(Service.objects.order_by("slug"))
        if not options["dry_run"] and (refusal := host_clock.refusal()):
            raise CommandError(refusal)
        duty = None if options["dry_run"] else Duty.hold(retention.DUTY)
        if duty is None and not options["dry_run"]:
            raise CommandError(
                "Retention is running just now. Its page shows how far it is; try again when it is through."
            )
        stopped = until_signal()
        with ExitStack() as held:
            if duty is not None:
                held.enter_context(duty)
                held.enter_context(duty.kept())
            for service in services:
                self._one(service, options, duty=duty, stopped=stopped)

    def _one(self, service: Service, options: dict[str, Any], *, duty: HeldDuty | None, stopped: Any) -> None:
        if not retention.days_set(service):
            self.stdout.write(f"{service.slug}: everything is kept for good.")
            return
        if duty is None:
            found = retention.forecast(service, now=database_now())
            counts = found.messages | {"archives": found.archives} | found.others
            self._say(service, "would be", counts)
            if found.open or found.held:
                says = f"{service.slug}: {found.open:,} sends stay because something of them is open, {found.held:,} because they are held."
                self.stdout.write(says)
            return
        rest = retention.RestRate(stopped=stopped, renew=duty.renew, rests=0.0 if options["no_rest"] else 3.0)
        done = retention.run(service, now=database_now(), rest=rest, by=Actor.system("cli"))
        if done is None:
            says = f"{service.slug}: broken off. What was done stays done; start it again to go on."
            raise CommandError(says)
        self._say(service, "were", done.counts)

    def _say(self, service: Service, verb: str, counts: dict[str, int]) -> None:
        lines = [f"{count:,} {KINDS.get(kind, kind)}" for kind, count in counts.items() if count]
        self.stdout.write(f"{service.slug}: {'; '.join(lines) if lines else f'nothing {verb} due'}.")
