"""Pages of senders: the list with their use, one with why its messages failed and where it reaches."""

from typing import Any

from django.utils import timezone

from portal.forms.catalogue import SenderForm
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from sms.catalogue import senders
from sms.models import Sender

SENDER = CatalogueKind(
    key="sender",
    name="sender",
    title="Senders",
    says="The numbers and names that messages come from.",
    form=SenderForm,
)


class SenderList(CatalogueList):
    headings = ("Kind", "Countries", "Messages in 30 days", "Failed")

    def cells(self, things: list[Sender]) -> dict[int, list[str]]:
        used = senders.usage([one.pk for one in things], now=timezone.now())
        return {
            one.pk: [
                one.get_kind_display() + (", default" if one.is_default else ""),
                one.countries or "Any",
                f"{used[one.pk].messages:,}",
                f"{used[one.pk].failed:,}",
            ]
            for one in things
        }


class SenderDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sender: Sender = self.object
        used = senders.usage([sender.pk], now=timezone.now())[sender.pk]
        countries = dict.fromkeys((self.service.default_country, "US", "CA"))
        return super().get_context_data(**kwargs) | {
            "facts": [
                ("Kind", sender.get_kind_display()),
                ("Default", "Yes" if sender.is_default else "No"),
                ("Countries", sender.countries or "Any, as far as networks take it"),
                ("Registration", sender.get_registration_display() or "None noted"),
                ("Note", sender.note or "–"),
            ],
            "used": used,
            "reasons": used.failures[: senders.SHOWN_REASONS],
            "judged": [(country, senders.judge(sender, country)) for country in countries],
            "toll_free": senders.is_toll_free(sender.address),
        }
