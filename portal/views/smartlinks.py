"""Pages of smartlinks: the list and one, each with what to write in a text."""

from typing import Any

from portal.forms.catalogue import SmartlinkForm
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from sms.models import Smartlink

SMARTLINK = CatalogueKind(
    key="smartlink",
    name="smartlink",
    title="Smartlinks",
    says="Links that are made in Webex Connect. They give no click receipts: for clicks use a short-link domain.",
    form=SmartlinkForm,
)


class SmartlinkList(CatalogueList):
    headings = ("In the text", "Valid for")

    def cells(self, things: list[Smartlink]) -> dict[int, list[str]]:
        return {one.pk: [one.token, f"{one.validity:,} minutes"] for one in things}


class SmartlinkDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        facts = [
            ("In the text", self.object.token),
            ("Valid for", f"{self.object.validity:,} minutes"),
            ("Clicks", "Webex Connect sends no click receipts for smartlinks."),
        ]
        return super().get_context_data(facts=facts, **kwargs)
