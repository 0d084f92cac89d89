"""What verifying a chain found."""

from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from sms.models.audit_proof import START
from sms.words import KeptSentence

WITHOUT_SERVICE = gettext_noop("Textdesk itself")
# Translators: why is a sentence
DOES_NOT_HOLD = KeptSentence(gettext_noop("%(chain)s: row %(row)s is the first that does not hold. %(why)s"))


@dataclass(frozen=True, slots=True)
class Broken:
    """The first row that does not hold: its number in the chain, its id where known, and why, as a sentence."""

    number: int
    event_id: int | None
    why: str


@dataclass(slots=True)
class ChainVerdict:
    """What a walk found. `rows` were read and hold; `left` went by retention; `broken` is the first that does not hold."""

    service_slug: str
    rows: int = 0
    left: int = 0
    number: int = 0
    checkpoints: int = 0
    seconds: float = 0.0
    complete: bool = True
    guarded: bool = True
    broken: Broken | None = None
    hash: str = field(default=START)

    @property
    def name(self) -> str:
        return self.service_slug or WITHOUT_SERVICE

    @property
    def sentence(self) -> str:
        if self.broken:
            return DOES_NOT_HOLD(chain=self.name, row=f"{self.broken.number:,}", why=self.broken.why)
        parts = [f"{self.name}: {self.rows:,} row{'' if self.rows == 1 else 's'} hold"]
        if self.left:
            parts.append(f"{self.left:,} left by retention")
        parts.append(f"{self.checkpoints:,} checkpoint{'' if self.checkpoints == 1 else 's'} agree")
        return f"{', '.join(parts)}."
