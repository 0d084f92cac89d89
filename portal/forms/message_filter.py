"""What the list of messages, and that of one send's, is narrowed to."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from portal.forms.days import DayField, DaysFilter, ListFilter
from portal.forms.list_search import MOST_ID
from sms.models import MessageState, Service
from sms.sends.message_search import MessageSelection
from sms.sends.messages import SendMessageSelection


class OutcomeFilter(ListFilter):
    """How a number ends is asked only by those who `may_reveal` numbers.

    Asked again and again, it would tell more of them than is shown.
    """

    state = forms.ChoiceField(
        choices=[("", gettext_lazy("All")), *MessageState.choices],
        required=False,
        label=pgettext_lazy("noun", "State"),
    )
    code = forms.CharField(
        max_length=10,
        required=False,
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("The provider's, such as 7102."),
    )
    ends = forms.RegexField(
        r"^[0-9]{2,4}\Z",
        required=False,
        label=gettext_lazy("Number ends in"),
        help_text=gettext_lazy("Two to four digits."),
        error_messages={
            "invalid": gettext_lazy("Give two to four digits; a whole number goes into the field above.")
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, may_reveal: bool) -> None:
        super().__init__(data)
        self.may_reveal = may_reveal

    def clean_ends(self) -> str:
        ends: str = self.cleaned_data["ends"]
        if ends and not self.may_reveal:
            raise forms.ValidationError(_("Only an admin or an auditor may look for how a number ends."))
        return ends


class MessageFilterForm(OutcomeFilter, DaysFilter):
    """`selection` is what was chosen, days in the viewer's time zone."""

    sender = forms.TypedChoiceField(
        coerce=int, empty_value=None, required=False, label=pgettext_lazy("sender", "From")
    )
    send = forms.IntegerField(
        min_value=1,
        max_value=MOST_ID,
        required=False,
        label=pgettext_lazy("noun", "Send"),
        help_text=gettext_lazy("Its number, as at the end of its address."),
    )
    since = DayField(required=False, label=gettext_lazy("Posted from"))
    until = DayField(required=False, label=gettext_lazy("Posted to and including"))

    def __init__(self, data: Any, *, service: Service, may_reveal: bool) -> None:
        super().__init__(data, may_reveal=may_reveal)
        senders = [(one.pk, one.address) for one in service.senders.order_by("address")]
        self.fields["sender"].choices = [("", _("All")), *senders]  # type: ignore[attr-defined]

    @property
    def address(self) -> str:
        """To be kept under a name, also for a colleague: without how a number ends, which not everybody may look for."""
        return urlencode({name: value for name, value in self.chosen.items() if name != "ends"})

    @property
    def selection(self) -> MessageSelection:
        return MessageSelection(**self.moments)


class SendMessagesForm(OutcomeFilter):
    """Of one send's messages."""

    row = forms.IntegerField(
        min_value=1,
        max_value=MOST_ID,
        required=False,
        label=gettext_lazy("Row"),
        help_text=gettext_lazy("Of the file or list."),
    )

    @property
    def address(self) -> str:
        return urlencode(self.chosen)

    @property
    def selection(self) -> SendMessageSelection:
        return SendMessageSelection(**self.values)
