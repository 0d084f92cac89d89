"""Pages of keywords: what people may text to the service, and what is done then."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from portal.forms.replies import KeywordForm
from portal.views.catalogue_base import CatalogueDetail, CatalogueKind, CatalogueList
from sms.models import KeywordRule

KEYWORD = CatalogueKind(
    key="keyword",
    name=gettext_lazy("keyword"),
    title=gettext_lazy("Keywords"),
    new_title=gettext_lazy("New keyword"),
    none_yet=gettext_lazy("No keyword yet."),
    says=gettext_lazy(
        "What people may text to you, like C to cancel. STOP and its like always work and are not listed here."
    ),
    form=KeywordForm,
)


def _answer(rule: KeywordRule) -> str:
    if rule.template is not None:
        return _("Template %(name)s") % {"name": rule.template}
    return _("“%(text)s”") % {"text": rule.text} if rule.text else _("None")


class KeywordList(CatalogueList):
    headings = (gettext_lazy("Where it counts"), gettext_lazy("Label"), pgettext_lazy("noun", "Answer"))

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("label", "template")

    def cells(self, things: list[KeywordRule]) -> list[list[str]]:
        return [
            [_place(one), one.label.word if one.label else _("None"), _answer(one)[:80]] for one in things
        ]


class KeywordDetail(CatalogueDetail):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rule: KeywordRule = self.object
        return super().get_context_data(**kwargs) | {
            "facts": [
                (_("Where it counts"), _place(rule)),
                (_("Label"), rule.label.word if rule.label else _("None")),
                (pgettext("noun", "Answer"), _answer(rule)),
                (
                    _("Afterwards"),
                    _("No colleague needs to read it") if rule.settles else _("The conversation is open"),
                ),
                (
                    _("For programs"),
                    _("The event inbound.received says matched_keyword: %(word)s") % {"word": rule.keyword},
                ),
            ],
        }


def _place(rule: KeywordRule) -> str:
    return _("At the beginning of a text") if rule.first_words else _("As the whole text")
