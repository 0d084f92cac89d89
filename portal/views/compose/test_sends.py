"""Test sends of a draft, to the person's own number or to a seed list."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from portal.access import FORM, actor, service_page
from portal.forms.numbers import row_of
from portal.forms.test_sends import DraftTestForm
from portal.limits import upload_limits
from portal.presenters.last_tests import last_tests
from sms.compose.errors import ComposeError
from sms.compose.test_sends import make, rules
from sms.models import Draft, Service
from sms.values.msisdn import mask


@service_page("compose", FORM)
def draft_test(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    related = (
        "service__region",
        "upload",
        "audience__current",
        "sender",
        "template",
        "policy_group",
        "link_domain",
    )
    found = get_object_or_404(service.drafts.select_related(*related), pk=pk)
    if found.send_id:
        messages.info(request, "This draft was sent. Here is the send.")
        return redirect("send", service=service.slug, pk=found.send_id)
    number = rules.own_number(request.user)
    posted = request.method == "POST"
    form = DraftTestForm(
        request.POST if posted else None, service=service, number=mask(number) if number else ""
    )
    if posted and form.is_valid():
        try:
            send = make.send_test(
                found,
                row=form.cleaned_data["row"],
                seeds=form.chosen,
                at_night=bool(form.cleaned_data.get("at_night")),
                by=actor(request),
                limits=upload_limits(),
            )
        except ComposeError as problem:
            for one in problem.problems:
                form.add_error(one.field if one.field in form.fields else None, one.text)
        else:
            messages.success(
                request,
                f"The test is on its way to {send.recipients} number{'' if send.recipients == 1 else 's'}.",
            )
            return redirect("draft_test", service=service.slug, pk=found.pk)
    context = {
        "draft": found,
        "form": form,
        "number": number,
        "left": rules.left_this_hour(request.user, now=timezone.now()),
        "tests": last_tests(found),
    } | _preview(found, row_of(request.GET, "row"), number=number)
    return render(request, "compose/test.html", context, status=422 if form.errors else 200)


def _preview(found: Draft, row: int | None, *, number: str) -> dict[str, object]:
    """The text as it would arrive. Where it cannot be made, the reason stands in its place."""
    try:
        sample = make.sample(found, row=row, limits=upload_limits())
        line = make.preview(sample, number=number)
    except ComposeError as problem:
        return {"line": None, "why": str(problem)}
    return {"line": line, "filled": sample.row is not None, "is_longest": sample.is_longest}
