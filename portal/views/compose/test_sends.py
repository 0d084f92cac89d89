"""Test sends of a draft, to the person's own number or to a seed list."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext

from portal.access import FORM, actor, service_page
from portal.forms.numbers import row_of
from portal.forms.problems import add_problems
from portal.forms.test_sends import DraftTestForm
from portal.limits import upload_limits
from portal.views.compose.page_base import check_passing_on, last_tests
from portal.views.compose.used_drafts import in_use
from portal.views.form_base import form_page, typed
from sms.compose.errors import ComposeError
from sms.compose.test_sends import make, rules
from sms.models import Draft, Service
from sms.models.sql.clock import corrected_now
from sms.values.msisdn import mask
from sms.words import number


@service_page("compose", FORM)
def draft_test(request: HttpRequest, service: Service, pk: int) -> HttpResponse:
    catalogue = ("sender", "template", "policy_group", "link_domain")
    drafts = service.drafts.select_related("service__region", "upload", "audience__current", *catalogue)
    found = get_object_or_404(drafts, pk=pk)
    if not found.is_open:
        return in_use(request, found)
    own = rules.own_number(request.user)
    form = DraftTestForm(**typed(request), service=service, number=mask(own) if own else "")
    if form.is_valid():
        try:
            check_passing_on(request, found, form.chosen is not None)
            send = make.send_test(
                found,
                row=form.cleaned_data["row"],
                seeds=form.chosen,
                at_night=bool(form.cleaned_data.get("at_night")),
                by=actor(request),
                limits=upload_limits(),
            )
        except ComposeError as problem:
            add_problems(form, problem.problems)
        else:
            says = ngettext(
                "The test is on its way to %(n)s number.",
                "The test is on its way to %(n)s numbers.",
                send.recipients,
            )
            messages.success(request, says % {"n": number(send.recipients)})
            return redirect("draft_test", service=service.slug, pk=found.pk)
    context = {
        "draft": found,
        "form": form,
        "number": own,
        "left": rules.left_this_hour(request.user, now=corrected_now()),
        "tests": last_tests(found),
    } | _preview(found, row_of(request.GET, "row"), number=own)
    return form_page(request, "compose/test.html", context)


def _preview(found: Draft, row: int | None, *, number: str) -> dict[str, object]:
    """The text as it would arrive. Where it cannot be made, the reason stands in its place."""
    try:
        sample = make.sample(found, row=row, limits=upload_limits())
        line = make.preview(sample, number=number)
    except ComposeError as problem:
        return {"line": None, "why": str(problem)}
    return {"line": line, "filled": sample.row is not None, "is_longest": sample.is_longest}
