"""What a code of the APIs means, and the way out: the `type` of every problem leads here. For anybody, with or without a key."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portal.machines import as_problem, for_people, without_parameters
from sms.api.v1.problem_kinds import ERRORS, KINDS, explained, page_of

VARY = {"Vary": "Accept"}


@login_not_required
@require_safe
def problem_list(request: HttpRequest) -> HttpResponse:
    """All of them: of whole requests, and of single errors."""
    problems = [explained(code) for code in KINDS]
    errors = [explained(code) for code in sorted(ERRORS)]
    if not _asks_for_html(request):
        if refused := without_parameters(request):
            return refused
        return JsonResponse({"problems": problems, "errors": errors}, headers=VARY)
    return for_people(render(request, "problems/list.html", {"problems": problems, "errors": errors}))


@login_not_required
@require_safe
def problem_page(request: HttpRequest, problem_code: str) -> HttpResponse:
    """One."""
    found = explained(problem_code)
    if found is None:
        return as_problem(
            404, f"There is no code {problem_code[:40]!r}. {page_of('').rstrip('/')} lists all."
        )
    if not _asks_for_html(request):
        if refused := without_parameters(request):
            return refused
        return JsonResponse(found, headers=VARY)
    return for_people(render(request, "problems/page.html", {"found": found}))


def _asks_for_html(request: HttpRequest) -> bool:
    """As a browser does. Whoever takes anything is a program, and gets JSON."""
    return "text/html" in request.headers.get("Accept", "").lower()
