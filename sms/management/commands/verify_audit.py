"""`manage.py verify_audit`: does the audit stand as it was written? Exit code 1 and the first broken row where it does not."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import audit
from sms.compliance.audit.checkpoint import checkpoints_in
from sms.models.sql import audit_guard

MOST_PROCESSES = 4


class Command(BaseCommand):
    """Every chain, or one; against the checkpoints in VAR_DIR and those that are given."""

    help = "Verify the audit's chains. Exit code 1 names the first row that was changed, removed, moved or put in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="slug of one service; '' for acts of the whole installation")
        parser.add_argument(
            "--checkpoints",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="JSON lines with checkpoints from another host or from the log stream; may be repeated",
        )

        parser.add_argument(
            "--processes",
            type=int,
            default=min(os.cpu_count() or 1, MOST_PROCESSES),
            help="that share the work on a long chain; as many as there are processors if left out, 4 at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        files = audit.CheckpointFiles(settings.VAR_DIR / "audit")
        checkpoints = files.read_all()
        for path in options["checkpoints"]:
            try:
                checkpoints += checkpoints_in(path)
            except OSError as problem:
                raise CommandError(f"{path} cannot be read ({problem.strerror}).") from None
        known = {one.service for one in checkpoints}
        chosen = options["service"]
        slugs = sorted({*audit.services(), *known}) if chosen is None else [chosen]
        if chosen is not None and chosen not in {*audit.services(), *known}:
            raise CommandError(f"There is no audit of a service {chosen!r}.")
        verdicts = [
            audit.verify_long(slug, checkpoints=checkpoints, processes=options["processes"]) for slug in slugs
        ]
        for verdict in verdicts:
            (self.stderr if verdict.broken else self.stdout).write(verdict.sentence)
        rows, seconds = sum(one.rows for one in verdicts), sum(one.seconds for one in verdicts)
        if not audit_guard.installed():
            self.stderr.write(
                "The triggers that refuse changes are not all there; manage.py migrate makes them again."
            )
        broken = [one for one in verdicts if one.broken]
        if broken:
            raise CommandError(
                f"{len(broken)} of {len(verdicts)} chains do not hold. docs/operators/audit.md says what to do."
            )
        self.stdout.write(f"All {rows:,} rows hold ({seconds:.1f} s).")
