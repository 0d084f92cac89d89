"""One row of a bulk act."""

from dataclasses import dataclass

from django.utils.translation import gettext_noop

from sms.words import KeptSentence

# said of sends and of drafts, as it is kept
HAS_LABEL = gettext_noop("It has this label already.")
HAS_LABELS = gettext_noop("It has these labels already.")
HAD_LABELS = gettext_noop("It had the labels already.")
GOT_LABELS = KeptSentence(gettext_noop("Got %(labels)s."))
TOO_MANY_LABELS = KeptSentence(gettext_noop("It would have %(labels)s labels; a send takes %(most)s."))


@dataclass(frozen=True, slots=True)
class RowOutlook:
    """What would become of a thing, as a sentence; where `does` is False, why nothing would. Afterwards, what became of it. Pages retell
    what it says: that is kept."""

    pk: int
    name: str
    does: bool
    says: str
    thing: object = None
