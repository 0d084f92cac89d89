"""Which countries the sender of an order reaches."""

from collections.abc import Mapping

from django.utils.translation import ngettext

from sms.catalogue import senders
from sms.models import Sender
from sms.values.country_names import country_here
from sms.words import number, retold


class SenderReach:
    """Whether messages of a sender arrive at a number, worked out once for each country; without a sender, always."""

    def __init__(self, sender: Sender | None) -> None:
        self._sender = sender
        self._countries: dict[str, str] = {}
        self._refusals: dict[str, str] = {}

    def refusal(self, msisdn: str) -> str:
        """Why a message does not arrive there, with the way out; empty where it does, or may."""
        if self._sender is None:
            return ""
        country = senders.country_of(msisdn, self._countries)
        if country not in self._refusals:
            verdict = senders.judge(self._sender, country)
            self._refusals[country] = verdict.text if verdict.level == senders.SenderFit.REFUSED else ""
        return self._refusals[country]


def reach_cautions(sender: Sender | None, countries: Mapping[str, int]) -> tuple[str, ...]:
    """A sentence for each country that may not take the sender, by how many messages go there."""
    if sender is None:
        return ()
    verdicts = {country: senders.judge(sender, country) for country in countries}
    return tuple(
        ngettext("%(n)s message to %(country)s: %(says)s", "%(n)s messages to %(country)s: %(says)s", count)
        % {"n": number(count), "country": country_here(country), "says": retold(verdicts[country].text)}
        for country, count in sorted(countries.items(), key=lambda one: (-one[1], one[0]))
        if verdicts[country].level == senders.SenderFit.WARNING
    )
