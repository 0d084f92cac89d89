"""What Django itself refuses, as a page of ours. Named in `portal.urls`."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

CANNOT_BE_READ = gettext_lazy(
    "What your browser sent cannot be read. Open the page again, and send it from there."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, in the sentence of whoever refused it; what Django says of suspicious requests is for its log."""
    words = str(exception) if isinstance(exception, BadRequest) else ""
    words = words or str(CANNOT_BE_READ)
    if (
        request.get_preferred_type(("text/html", "application/json")) == "application/json"
    ):  # a script of a page
        return JsonResponse({"says": words}, status=400)
    context = {"status": 400, "title": _("This request cannot be used"), "words": words}
    return render(request, "body_refused.html", context, status=400)
