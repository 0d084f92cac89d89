"""The filter of the audit page."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from portal.forms.days import DaysFilter
from sms.compliance.audit import Selection
from sms.models.audit_acts import ACTS, DOORS, NOUNS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

NOUN_WORDS: "dict[str, StrOrPromise]" = {
    "user": pgettext_lazy("audit", "User"),
    "person": pgettext_lazy("audit", "Person"),
    "guard": pgettext_lazy("audit", "Guard"),
    "factor_rule": pgettext_lazy("audit", "Factor rule"),
    "group_role": pgettext_lazy("audit", "Group role"),
    "api_key": pgettext_lazy("audit", "Api key"),
    "keys": pgettext_lazy("audit", "Keys"),
    "service": pgettext_lazy("audit", "Service"),
    "tenant_probe": pgettext_lazy("audit", "Tenant probe"),
    "approval": pgettext_lazy("audit", "Approval"),
    "region": pgettext_lazy("audit", "Region"),
    "sender": pgettext_lazy("audit", "Sender"),
    "domain": pgettext_lazy("audit", "Domain"),
    "policy_group": pgettext_lazy("audit", "Policy group"),
    "prices": pgettext_lazy("audit", "Prices"),
    "smartlink": pgettext_lazy("audit", "Smartlink"),
    "template": pgettext_lazy("audit", "Template"),
    "draft": pgettext_lazy("audit", "Draft"),
    "audience": pgettext_lazy("audit", "Audience"),
    "comment": pgettext_lazy("audit", "Comment"),
    "send": pgettext_lazy("audit", "Send"),
    "recurring_send": pgettext_lazy("audit", "Recurring send"),
    "standing_approval": pgettext_lazy("audit", "Standing approval"),
    "retention": pgettext_lazy("audit", "Retention"),
    "erasure": pgettext_lazy("audit", "Erasure"),
    "number": pgettext_lazy("audit", "Number"),
    "message": pgettext_lazy("audit", "Message"),
    "messages": pgettext_lazy("audit", "Messages"),
    "optout": pgettext_lazy("audit", "Optout"),
    "reply": pgettext_lazy("audit", "Reply"),
    "keyword": pgettext_lazy("audit", "Keyword"),
    "audit": pgettext_lazy("audit", "Audit"),
    "report": pgettext_lazy("audit", "Report"),
    "receipts": pgettext_lazy("audit", "Receipts"),
    "callback_endpoint": pgettext_lazy("audit", "Callback endpoint"),
    "callbacks": pgettext_lazy("audit", "Callbacks"),
}


def _acts() -> "list[tuple[StrOrPromise, Any]]":
    groups: dict[str, list[tuple[str, Any]]] = {}
    for act, words in ACTS.items():
        groups.setdefault(act.partition(".")[0], []).append((act, gettext(str(words))))
    return [("", _("All")), *((NOUN_WORDS.get(noun, noun), acts) for noun, acts in groups.items())]


class AuditFilter(DaysFilter):
    """Everything is optional. `selection` is what was chosen, in the viewer's time zone."""

    who = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Who"),
        help_text=gettext_lazy("Part of an address or of a key's name."),
    )
    act = forms.ChoiceField(choices=_acts, required=False, label=gettext_lazy("Did"))
    noun = forms.ChoiceField(
        choices=[("", gettext_lazy("All")), *((noun, NOUN_WORDS.get(noun, noun)) for noun in NOUNS)],
        required=False,
        label=gettext_lazy("With"),
    )
    door = forms.ChoiceField(
        choices=[("", gettext_lazy("All")), *DOORS.items()], required=False, label=gettext_lazy("Through")
    )
    words = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Holds"),
        help_text=gettext_lazy("A word of the details, or the thing's number."),
    )

    @property
    def selection(self) -> Selection:
        return Selection(**self.moments)
