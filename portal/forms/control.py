"""Forms of what is done with a send: the reason for stopping, settling or keeping it, and another time."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.forms.time_zones import LocalTimeField


class ReasonForm(forms.Form):
    """Why, in a few words; colleagues read it on the page of what was paused."""

    reason = forms.CharField(
        max_length=150,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Your colleagues see it, and it stays in the record."),
    )


class NoteForm(ReasonForm):
    """A word for the record, where there is one to say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["reason"].label = _("Note (may be left empty)")
        self.fields["reason"].help_text = _("For example a ticket number. It stays in the record.")


class SettleForm(ReasonForm):
    """Why it was decided so. Asked for where a message may arrive twice, otherwise welcome."""

    def __init__(self, *args: Any, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.required = needed
        if needed:
            reason.help_text = _("Needed here, since a message may arrive twice. It stays in the record.")
        else:
            reason.label = _("Reason (may be left empty)")


class KeepForm(forms.Form):
    """Why a send is excluded from retention."""

    reason = forms.CharField(max_length=300, label=gettext_lazy("Reason"))


class MoveForm(forms.Form):
    """Another time for a send; `sms.sends.reschedule` decides whether it can still be moved."""

    send_at = LocalTimeField(
        label=gettext_lazy("New time"),
        error_messages={"required": gettext_lazy("Give the day and time, or choose “Send it now”.")},
    )
