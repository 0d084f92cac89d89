"""The whole number of one message, for whoever may see it and says why. Everywhere else on the pages numbers are masked."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal.access import actor, service_page
from portal.forms.control import ReasonForm
from portal.views.control import Confirmation, ask
from sms.compliance import archive
from sms.models import Service
from sms.models.audit import audit
from sms.sends.messages import story_of
from sms.values.msisdn.masked import masked


@service_page("reveal")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def message_reveal(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Asks for a reason, then shows the number once. That it was shown is in the audit before it is; the number never is."""
    back = reverse("message", args=[service.slug, pk])
    try:
        story = story_of(service, pk)
    except archive.ArchiveError:
        return redirect(back)  # which says what is wrong
    if story is None:
        raise Http404
    found = story.message
    if not found.msisdn.startswith("+"):  # kept no longer; its page says so
        return redirect(back)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = masked(form.cleaned_data["reason"])
        audit(
            "message.revealed", by=actor(request), service=service.slug, noun="message", key=pk, reason=reason
        )
        return render(request, "messages/number.html", {"message": found, "reason": reason})
    asked = Confirmation(
        title="Show the number of this message?",
        says=(
            "Pages show numbers without their middle. Who looked at a whole one, and why, stays in the audit.",
        ),
        button="Show the number",
        back=back,
        crumb="Message",
    )
    return ask(request, asked, form=form)
