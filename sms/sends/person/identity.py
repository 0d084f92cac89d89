"""Who is meant by a number as it is stored, and what stands for it in the address of the person's page."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from sms.models import Service
from sms.values import msisdn
from sms.values.msisdn.hidden import ERASED, LENGTH, MARK, hidden
from sms.values.msisdn.person_key import number_of, person_key

AUDIT_NOUN = "person"  # of acts that are about one, as `sms.compliance.disclosure` has it; their key is the digest of the number


@dataclass(frozen=True, slots=True)
class Person:
    """`number` is E.164 with its plus, empty where only the digest of one is known. `forms`: how rows may have it, the digests last."""

    service: Service
    number: str
    forms: tuple[str, ...]

    @property
    def key(self) -> str:
        return person_key(self.number or self.forms[0], key=self.service.number_key)

    @property
    def spellings(self) -> tuple[str, ...]:
        return tuple(one for one in self.forms if not one.startswith(MARK))

    @property
    def digests(self) -> tuple[str, ...]:
        """By these the person is known once the number is gone."""
        return tuple(one for one in self.forms if one.startswith(MARK))

    @property
    def shown(self) -> str:
        return msisdn.mask(self.number) if self.number else _("A number that is no longer kept")


def key_of(service: Service, stored: str) -> str:
    """For the address of the page; empty for what names no single person: nothing, no number, a number that was erased."""
    if stored.startswith("+"):
        return person_key(_usual(stored), key=service.number_key)
    is_digest = stored.startswith(MARK) and len(stored) == LENGTH and stored != ERASED
    return person_key(stored, key=service.number_key) if is_digest else ""


def person_of(service: Service, key: str) -> Person | None:
    """None for a key that this service did not make."""
    hides_with = service.number_key
    stored = number_of(key, key=hides_with)
    if stored is None:
        return None
    if not stored.startswith("+"):
        return Person(service, "", (stored,))
    spelled = msisdn.spellings(stored)
    return Person(service, stored, (*spelled, *(hidden(one, key=hides_with) for one in spelled)))


def _usual(e164: str) -> str:
    """Of several spellings the one of lists, so that all lead to one page."""
    spelled = msisdn.spellings(e164)
    usual = msisdn.sender(e164) if len(spelled) > 1 else e164
    return usual if usual in spelled else e164
