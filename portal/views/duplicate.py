"""Duplicating a send as a draft: the page asks which recipients are taken over."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from portal.access import FORM, actor, service_page
from portal.limits import upload_limits
from sms.compose.drafts import duplicate, recipients_of_send
from sms.models import Send, Service

NO_RECIPIENTS = "nobody"


@service_page("compose", FORM)
def send_duplicate(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    """Nothing is sent; the draft opens next."""
    related = ("service", "sender", "template", "template_version", "policy_group", "link_domain")
    found = get_object_or_404(
        Send.objects.select_related(*related, "audience__audience").defer("audience__rejects"),
        service=service,
        pk=pk,
    )
    choices = duplicate.choices(found)
    open_ones = [one.who.value for one in choices if not one.problem]
    chosen = request.POST.get("who", "") if request.method == "POST" else next(iter(open_ones), NO_RECIPIENTS)
    wrong = ""
    if request.method == "POST":
        if chosen not in (*open_ones, NO_RECIPIENTS):
            problem = next((one.problem for one in choices if one.who == chosen), "")
            wrong = problem or "Choose to whom."
        else:
            who = None if chosen == NO_RECIPIENTS else recipients_of_send.Who(chosen)
            try:
                draft, warnings = duplicate.duplicate(found, who, by=actor(request), limits=upload_limits())
            except recipients_of_send.RecipientsGone as gone:
                wrong = str(gone)
            else:
                messages.success(request, "Here is the draft. Nothing is sent before you say so.")
                for sentence in warnings:
                    messages.warning(request, sentence)
                return redirect("draft", service=service.slug, pk=draft.pk)
    context = {"send": found, "choices": choices, "chosen": chosen, "wrong": wrong}
    return render(request, "sends/duplicate.html", context, status=422 if wrong else 200)
