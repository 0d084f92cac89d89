"""What waited on this host's disk and could not be brought in: files that end in `.kept`, of receipts and of incoming SMS."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sms.inbound import optouts, receipts
from sms.ledger import wakeups
from sms.words import number


class KeptTakenIn(NamedTuple):
    """Posts that are in now, and files that are left."""

    receipts: int
    messages: int
    left: int

    def __str__(self) -> str:
        says = _("%(receipts)s receipts and %(messages)s incoming SMS were taken in.")
        says %= {"receipts": number(self.receipts), "messages": number(self.messages)}
        if not self.left:
            return says
        left = ngettext(
            "%(n)s file is left on this host: damaged, or of a service that is not there. The log says which.",
            "%(n)s files are left on this host: damaged, or of a service that is not there. The log says which.",
            self.left,
        )
        return f"{says} {left % {'n': number(self.left)}}"


def count() -> int:
    return receipts.spool.kept() + optouts.inbound_spool.kept()


def take_in() -> KeptTakenIn:
    """Once more; what is in already counts once. Raises the database's Error where it is away, with nothing lost."""
    taken = receipts.take_in_kept(), optouts.take_in_kept()
    wakeups.fold()
    return KeptTakenIn(*taken, count())
