"""What waited on this host's disk and could not be brought in: files that end in `.kept`, of receipts and of incoming SMS."""

from typing import NamedTuple

from sms.inbound import optouts, receipts
from sms.ledger import wakeups


class KeptTakenIn(NamedTuple):
    """Posts that are in now, and files that are left."""

    receipts: int
    messages: int
    left: int

    def __str__(self) -> str:
        says = f"{self.receipts:,} receipts and {self.messages:,} incoming SMS were taken in."
        if not self.left:
            return says
        files = "1 file is" if self.left == 1 else f"{self.left:,} files are"
        return f"{says} {files} left on this host: damaged, or of a service that is not there. The log says which."


def count() -> int:
    return receipts.spool.kept() + optouts.inbound_spool.kept()


def take_in() -> KeptTakenIn:
    """Once more; what is in already counts once. Raises the database's Error where it is away, with nothing lost."""
    taken = receipts.take_in_kept(), optouts.take_in_kept()
    wakeups.fold()
    return KeptTakenIn(*taken, count())
