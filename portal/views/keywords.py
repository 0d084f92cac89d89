"""Pages of keywords: what people may text to the service, and what is done then."""

from typing import Any

from portal.forms.replies import KeywordForm
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from sms.models import KeywordRule

KEYWORD = CatalogueKind(
    key="keyword",
    name="keyword",
    title="Keywords",
    new_title="New keyword",
    none_yet="No keyword yet.",
    says="What people may text to you, like C to cancel. STOP and its like always work and are not listed here.",
    form=KeywordForm,
)


def _answer(rule: KeywordRule) -> str:
    if rule.template is not None:
        return f"Template {rule.template}"
    return f"“{rule.text}”" if rule.text else "None"


class KeywordList(CatalogueList):
    headings = ("Where it counts", "Label", "Answer")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("label", "template")

    def cells(self, things: list[KeywordRule]) -> list[list[str]]:
        return [[_place(one), one.label.word if one.label else "None", _answer(one)[:80]] for one in things]


class KeywordDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rule: KeywordRule = self.object
        return super().get_context_data(**kwargs) | {
            "facts": [
                ("Where it counts", _place(rule)),
                ("Label", rule.label.word if rule.label else "None"),
                ("Answer", _answer(rule)),
                (
                    "Afterwards",
                    "No colleague needs to read it" if rule.settles else "The conversation is open",
                ),
                ("For programs", f"The event inbound.received says matched_keyword: {rule.keyword}"),
            ],
        }


def _place(rule: KeywordRule) -> str:
    return "At the beginning of a text" if rule.first_words else "As the whole text"
