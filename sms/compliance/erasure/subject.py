"""The person whose data it is about: one number of one service, in every form in which it can stand somewhere."""

from dataclasses import dataclass
from functools import cached_property

from sms.models import Service
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import Mention


@dataclass(frozen=True)
class Subject:
    """`e164` with its plus."""

    service: Service
    e164: str

    @cached_property
    def digest(self) -> str:
        """What stands for the number where only a digest may."""
        return hidden(self.e164, key=self.service.number_key)

    @property
    def forms(self) -> tuple[str, str]:
        return self.e164, self.digest

    @cached_property
    def mention(self) -> Mention:
        return Mention(self.e164)
