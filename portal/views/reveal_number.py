"""The whole number of one message, for those who may see it and say why. Everywhere else on the pages numbers are masked."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from portal.access import actor
from portal.forms.control import ReasonForm
from portal.views.confirm_base import Confirmation, ConfirmView
from sms.compliance import archive
from sms.models import Message
from sms.models.audit import audit
from sms.sends.messages import story_of
from sms.values.msisdn.masked import masked


@method_decorator(never_cache, name="dispatch")
class RevealNumber(ConfirmView):
    """Asks for a reason, then shows the number once. That it was shown is in the audit before it is; the number never is."""

    act = "reveal"
    form_class = ReasonForm
    crumb = "Message"

    def find(self) -> Message | None:
        """None where the page of the message says why there is no number to show."""
        try:
            story = story_of(self.service, self.kwargs["pk"])
        except archive.ArchiveError:
            return None
        if story is None:
            raise Http404
        return story.message if story.message.msisdn.startswith("+") else None

    def is_over(self) -> bool:
        return self.thing is None

    def get_success_url(self) -> str:
        return reverse("message", args=[self.service.slug, self.kwargs["pk"]])

    def confirmation(self) -> Confirmation:
        return Confirmation(
            title="Show the number of this message?",
            says=(
                "Pages show numbers without their middle. Who looked at a whole one, and why, stays in the audit.",
            ),
            button="Show the number",
            danger=False,
        )

    def confirmed(self, form: Any) -> HttpResponse:
        reason = masked(form.cleaned_data["reason"])
        audit(
            "message.revealed",
            by=actor(self.request),
            service=self.service.slug,
            noun="message",
            key=self.kwargs["pk"],
            reason=reason,
        )
        return render(self.request, "messages/number.html", {"message": self.thing, "reason": reason})
