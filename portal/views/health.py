"""For operators: is the process alive, and can it work?"""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from sms.worker import health


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers; asks nothing else, so that a slow database does not get it killed."""
    del request
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers too. `dispatch` says `ok`, or why nothing is being sent: the pages still work then, so still 200."""
    del request
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        still = health.sentence()
    except DatabaseError as problem:
        return JsonResponse({"database": type(problem).__name__}, status=503)
    return JsonResponse({"database": "ok", "dispatch": still or "ok"})
