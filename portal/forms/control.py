"""Forms of the acts that stop, go on and settle: a reason, where one is asked for."""

from typing import Any

from django import forms

LONGEST = 150  # characters


class ReasonForm(forms.Form):
    """Why, in a few words; colleagues read it on the page of what was paused."""

    reason = forms.CharField(
        max_length=LONGEST,
        label="Reason",
        help_text="Your colleagues see it, and it stays in the record.",
    )


class SettleForm(ReasonForm):
    """Why it was decided so. Asked for where a message may arrive twice, otherwise welcome."""

    def __init__(self, *args: Any, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed
        if needed:
            self.fields[
                "reason"
            ].help_text = "Needed here, since a message may arrive twice. It stays in the record."
        else:
            self.fields["reason"].label = "Reason (may be left empty)"
