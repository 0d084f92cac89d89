"""What shows a whole number: asks for a reason, then shows it once. That it was shown is in the audit before it is; the number never is."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from portal.forms.control import ReasonForm
from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.values.msisdn.mention import masked


class RevealView(ConfirmView):
    """`find` gives what has the number, None where there is none to show: the page before says why."""

    act = "reveal"
    form_class = ReasonForm
    whose = ""  # "of this message"

    def number(self) -> str:
        raise NotImplementedError

    def note(self, reason: str) -> None:
        """Into the audit."""
        raise NotImplementedError

    def over(self) -> Said | None:
        return Said("") if self.thing is None else None

    def confirmation(self) -> Confirmation:
        return Confirmation(
            f"Show the number {self.whose}?",
            "Pages show numbers without their middle. Who looked at a whole one, and why, stays in the audit.",
            button="Show the number",
            danger=False,
        )

    def confirmed(self, form: Any) -> HttpResponse:
        reason = masked(form.cleaned_data["reason"])
        self.note(reason)
        shown = {
            "number": self.number(),
            "reason": reason,
            "back": self.get_success_url(),
            "crumb": self.crumb,
        }
        return render(self.request, "people/number.html", shown)
