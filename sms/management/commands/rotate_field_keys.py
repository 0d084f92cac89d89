"""`manage.py rotate_field_keys`: seal every stored secret with the newest of FIELD_KEYS, or say which keys are still needed."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.compliance import rotate_keys
from sms.models import Actor
from sms.models.audit import audit


class Command(BaseCommand):
    """Put the new key in front of FIELD_KEYS on every host and restart them, then run this, then take the old key away."""

    help = "Seal every stored secret with the newest of FIELD_KEYS. Safe to break off and to start again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; say which keys are needed, and fail while the oldest one is",
        )
        parser.add_argument("--batch", type=int, default=500, help="values in one transaction (500)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 0 when every secret opens with the newest key."""
        keys, batch = settings.FIELD_KEYS, options["batch"]
        if batch < 1:
            raise CommandError("--batch should be 1 or more.")
        if not options["check"]:
            self._rotate(keys, batch)
        tally = rotate_keys.count(keys, batch=batch)
        if tally.unreadable:
            shown = "\n".join(f"  {place}" for place in tally.unreadable[: rotate_keys.LISTED])
            more = len(tally.unreadable) - rotate_keys.LISTED
            raise CommandError(
                f"{len(tally.unreadable):,} of {tally.values:,} secrets open with none of today's {len(keys)} "
                f"FIELD_KEYS, so do not throw any key away:\n{shown}"
                + (f"\n  and {more:,} more" if more > 0 else "")
                + "\nPut the key that they were written with behind the newest one, or type those secrets again."
            )
        if tally.old:
            ages = ", ".join(f"key {at}: {many:,}" for at, many in enumerate(tally.by_key, start=1))
            says = "the oldest key is still needed" if tally.by_key[-1] else "an older key is still needed"
            raise CommandError(
                f"{tally.old:,} of {tally.values:,} secrets do not open with the newest key ({ages}; newest first): {says}. "
                "Run manage.py rotate_field_keys, and see that every host has the new FIELD_KEYS."
            )
        rest = "" if len(keys) == 1 else f" The {len(keys) - 1} older may be taken out of FIELD_KEYS now."
        self.stdout.write(f"All {tally.values:,} secrets open with the newest key.{rest}")

    def _rotate(self, keys: list[str], batch: int) -> None:
        done: dict[str, tuple[int, int]] = {}
        for column, looked, renewed in rotate_keys.rotate(keys, batch=batch):
            before = done.get(column, (0, 0))
            done[column] = (before[0] + looked, before[1] + renewed)
        for column, (looked, renewed) in done.items():
            self.stdout.write(f"{column}: {looked:,} looked at, {renewed:,} sealed again")
        if renewed := sum(new for _, new in done.values()):
            audit("keys.rotated", by=Actor.system("cli"), noun="secrets", renewed=renewed)
