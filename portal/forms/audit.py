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
    "user": gettext_lazy("User"),
    "person": gettext_lazy("Person"),
    "guard": gettext_lazy("Guard"),
    "factor_rule": gettext_lazy("Factor rule"),
    "group_role": gettext_lazy("Group role"),
    "api_key": gettext_lazy("Api key"),
    "keys": gettext_lazy("Keys"),
    "service": gettext_lazy("Service"),
    "tenant_probe": gettext_lazy("Tenant probe"),
    "approval": gettext_lazy("Approval"),
    "region": gettext_lazy("Region"),
    "sender": gettext_lazy("Sender"),
    "domain": gettext_lazy("Domain"),
    "policy_group": gettext_lazy("Policy group"),
    "prices": gettext_lazy("Prices"),
    "smartlink": gettext_lazy("Smartlink"),
    "template": gettext_lazy("Template"),
    "draft": gettext_lazy("Draft"),
    "audience": gettext_lazy("Audience"),
    "comment": gettext_lazy("Comment"),
    "send": pgettext_lazy("noun", "Send"),
    "recurring_send": gettext_lazy("Recurring send"),
    "standing_approval": gettext_lazy("Standing approval"),
    "retention": gettext_lazy("Retention"),
    "erasure": gettext_lazy("Erasure"),
    "number": gettext_lazy("Number"),
    "message": gettext_lazy("Message"),
    "messages": gettext_lazy("Messages"),
    "optout": gettext_lazy("Optout"),
    "reply": gettext_lazy("Reply"),
    "keyword": gettext_lazy("Keyword"),
    "audit": gettext_lazy("Audit"),
    "report": gettext_lazy("Report"),
    "receipts": gettext_lazy("Receipts"),
    "callback_endpoint": gettext_lazy("Callback endpoint"),
    "callbacks": gettext_lazy("Callbacks"),
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
