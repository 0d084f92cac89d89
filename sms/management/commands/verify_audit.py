"""`manage.py verify_audit`: does the audit stand as it was written? Exit code 1 and the first broken row where it does not."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import audit
from sms.compliance.audit import folder
from sms.compliance.audit.checkpoint import Checkpoint, checkpoints_in
from sms.models import Actor

MOST_PROCESSES = 4


class Command(BaseCommand):
    """Every chain, or one; against the checkpoints in VAR_DIR and those that are given."""

    help = (
        "Verify the audit's chains, checkpoints and triggers. Exit code 1 names the first row that was changed, removed, moved or put in, "
        "and whatever is missing around the chains."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--service", help="slug of one service; '' for acts of the whole installation")
        parser.add_argument(
            "--checkpoint",
            "--checkpoints",
            dest="checkpoints",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a copy from another host, a syslog, a mailbox or the log stream; may be repeated",
        )

        parser.add_argument(
            "--processes",
            type=int,
            default=min(os.cpu_count() or 1, MOST_PROCESSES),
            help="that share the work on a long chain; as many as there are processors if left out, 4 at most",
        )
        parser.add_argument(
            "--accept-loss",
            metavar="WHY",
            default="",
            help="record why checkpoints were lost, so that it is no finding any more, for instance: that host was replaced",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        files = audit.CheckpointFiles(settings.VAR_DIR / "audit")
        checkpoints, altered = _read(options["checkpoints"])
        chosen = options["service"]
        if chosen is not None and chosen not in {*audit.services(), *(one.service for one in checkpoints)}:
            raise CommandError(f"There is no audit of a service {chosen!r}.")
        if options["accept_loss"]:
            folder.accept(options["accept_loss"], by=Actor.system("cli"))
        found = audit.check(
            files,
            places=settings.AUDIT_CHECKPOINTS_TO,
            checkpoints=checkpoints,
            chosen=chosen,
            processes=options["processes"],
        )
        found.witnesses += altered
        for verdict in found.verdicts:
            (self.stderr if verdict.broken else self.stdout).write(verdict.sentence)
        for sentence in found.witnesses:
            self.stderr.write(sentence)
        for sentence in found.unread:
            self.stdout.write(sentence)
        rows, seconds = sum(one.rows for one in found.verdicts), sum(one.seconds for one in found.verdicts)
        if found.broken:
            says = f"{len(found.broken)} of {len(found.verdicts)} chains do not hold. docs/operators/audit.md says what to do."
            raise CommandError(says)
        if found.witnesses:
            says = f"All {rows:,} rows hold, but what guards them does not. docs/operators/audit.md says what to do."
            raise CommandError(says)
        self.stdout.write(f"All {rows:,} rows hold ({seconds:.1f} s).")


def _read(paths: Sequence[Path]) -> tuple[list[Checkpoint], list[str]]:
    """What copies of checkpoints say, and a sentence for each that was altered. One that says nothing proves nothing, and is refused."""
    checkpoints: list[Checkpoint] = []
    altered: list[str] = []
    for path in paths:
        try:
            read = checkpoints_in(path)
        except OSError as problem:
            raise CommandError(f"{path} cannot be read ({problem.strerror}).") from None
        if read.foreign:
            altered.append(
                f"{path} holds checkpoints that were altered, or are of another Textdesk: {read.foreign:,}."
            )
        elif not read.checkpoints:
            raise CommandError(f"{path} holds no checkpoint of an audit.")
        checkpoints += read.checkpoints
    return checkpoints, altered
