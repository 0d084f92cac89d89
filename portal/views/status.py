"""For operators: whether work could be done now, and everything that runs and waits, at a glance."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from portal.models import Role
from portal.presenters.status_page import as_json
from portal.views.metrics import PATIENCE, may_read
from sms import VERSION
from sms.compliance import audit
from sms.models import OperationalFault, RefusedPost
from sms.models.sql.session import impatient
from sms.operations import faults, readiness
from sms.operations.own_facts import HOST
from sms.operations.processes import hosts, processes, provider_troubles
from sms.operations.work import work
from sms.words import in_english
from sms.worker import health


@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """503 where work fails, with the short words of what fails (docs/operators/faults.md). What waits for a person leaves it 200.

    `refused_posts` are what Webex Connect, or somebody else, posted and we did not accept, and that still waits for a person.
    """
    failing = dict(readiness.failing(settings.VAR_DIR))
    found: dict[str, Any] = {
        "database": next((word for word in readiness.OF_DATABASE if word in failing), "ok"),
        "failing": sorted(failing),
        "because": [failing[word] for word in sorted(failing)],
    }
    if found["database"] == "ok":
        try:
            with in_english():
                still = health.sentence()
            wrong = " ".join(filter(None, (audit.sentence(), *audit.undelivered())))
            kept = RefusedPost.objects.count()
            found |= {"dispatch": still or "ok", "audit": wrong or "ok", "refused_posts": kept}
        except DatabaseError as problem:
            found |= {"database": readiness.word_of(problem), "failing": [readiness.word_of(problem)]}
    return JsonResponse(found, status=503 if found["failing"] else 200)


@login_not_required
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The page for admins who are signed in, of the services that they are admins of; JSON also for whoever may read /metrics."""
    in_json = request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    services = None if in_json and may_read(request) else _services_of(request)
    if services is False:
        if in_json:
            return JsonResponse(
                {"says": "Sign in as an admin, or send METRICS_TOKEN as a bearer token."}, status=403
            )
        return redirect_to_login(request.get_full_path())
    try:
        with impatient(PATIENCE):
            found = _look(services)
    except DatabaseError as problem:
        if not in_json:
            raise
        word = readiness.word_of(problem)
        fault = {"fault": word, "where": HOST, "says": faults.SAYS[word], "since": None}
        return JsonResponse({"version": VERSION, "faults": [fault]}, status=503)
    if in_json:
        return JsonResponse(as_json(found))
    return render(request, "operations/status.html", found)


def _services_of(request: HttpRequest) -> Any:
    """Keys of the services whose figures the person may see, None for all; False for a visitor."""
    user: Any = request.user
    if not user.is_authenticated:
        return False
    if user.is_superuser:
        return None
    administered = set(user.memberships.filter(role=Role.ADMIN).values_list("service", flat=True))
    if not administered:
        raise PermissionDenied
    return administered


def _look(services: Any) -> dict[str, Any]:
    found = processes()
    waits = work(provider_troubles(found))
    shown = [one for one in waits.services if services is None or one.pk in services]
    known = {(one.fault, one.where): one.since for one in OperationalFault.objects.filter(over_at=None)}
    names = {one.slug for one in shown}
    wrong = [
        {"fault": one.word, "where": one.where, "says": one.says, "since": known.get((one.word, one.where))}
        for one in faults.find(found)
        if one.word != faults.PROVIDER or one.where in names
    ]
    return {
        "version": VERSION,
        "database": connection.vendor,
        "now": timezone.now(),
        "faults": wrong,
        "processes": found,
        "hosts": hosts(found),
        "waits": waits,
        "shown": shown,
    }
