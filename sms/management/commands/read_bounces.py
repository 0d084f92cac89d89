"""`manage.py read_bounces`: mail that came back, from a mailbox or from the mail server's pipe. Run it by a timer or as an alias."""

import sys
from collections import Counter
from mailbox import Mailbox, Maildir, mbox
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sms.models.sql.session import database_now
from sms.notices import bounces
from sms.notices.bounces import Bounce

SAYS = {
    Bounce.NOTED: "noted at the person",
    Bounce.DELAYED: "only delayed",
    Bounce.OF_ANOTHER: "about mail that is not ours",
    Bounce.NO_REPORT: "no report of a mail server",
}


class Command(BaseCommand):
    help = (
        "Read reports of mail that could not be delivered. What was read is removed from the mailbox; what is no "
        "report about a notice stays."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "mailbox", help="a Maildir folder, an mbox file, or - for one message on standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        where, found = options["mailbox"], Counter[Bounce]()
        if where == "-":
            found[bounces.take(sys.stdin.buffer.read(), now=database_now())] += 1
        else:
            found = self._read(self._opened(Path(where)))
        self.stdout.write(", ".join(f"{found[kind]} {words}" for kind, words in SAYS.items()))

    def _opened(self, path: Path) -> "Mailbox[Any]":
        if path.is_dir():
            return Maildir(path, create=False)
        if path.is_file():
            return mbox(path, create=False)
        raise CommandError(f"There is no mailbox at {path}.")

    def _read(self, box: "Mailbox[Any]") -> Counter[Bounce]:
        found = Counter[Bounce]()
        box.lock()
        try:
            for key in list(box.keys()):
                kind = bounces.take(box.get_bytes(key), now=database_now())
                found[kind] += 1
                if kind in (Bounce.NOTED, Bounce.DELAYED):
                    box.remove(key)
            box.flush()
        finally:
            box.unlock()
        return found
