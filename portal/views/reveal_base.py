"""What shows a whole number: asks for a reason, then shows it once. That it was shown is in the audit before it is; the number never is.

The row in the audit is about the person, whatever the page is of, so that all of them stand on the person's timeline.
"""

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.forms.control import ReasonForm
from portal.views.button_base import Said
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.models.audit import audit
from sms.sends.person.identity import AUDIT_NOUN
from sms.values.msisdn.hidden import hidden
from sms.values.msisdn.mention import masked

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class RevealView(ConfirmView):
    """`find` gives what has the number, None where there is none to show: the page before says why."""

    act = "reveal"
    form_class = ReasonForm
    asks: "StrOrPromise" = ""  # "Show the number of this message?"
    audited = ""  # what the audit calls it

    def number(self) -> str:
        raise NotImplementedError

    def details(self) -> dict[str, Any]:
        """What else the audit says: where it was shown."""
        return {}

    def over(self) -> Said | None:
        return Said("") if self.thing is None else None

    def confirmation(self) -> Confirmation:
        return Confirmation(
            str(self.asks),
            _(
                "Pages show numbers without their middle. Who looked at a whole one, and why, stays in the audit."
            ),
            button=_("Show the number"),
            danger=False,
        )

    def confirmed(self, form: Any) -> HttpResponse:
        reason = masked(form.cleaned_data["reason"])
        number, service = self.number(), self.service
        key = hidden(number, key=service.number_key)
        of_person: dict[str, Any] = {"noun": AUDIT_NOUN, "key": key, "service": service.slug}
        audit(self.audited, by=self.by, reason=reason, **of_person, **self.details())
        shown = {
            "number": number,
            "reason": reason,
            "back": self.get_success_url(),
            "crumb": self.crumb,
        }
        return render(self.request, "people/number.html", shown)
