"""The rows of a saved audience, and those that its upload left out, as CSV."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect

from portal.access import WRITE, actor, service_page
from portal.presenters.downloads import csv_download
from portal.views.audience_base import version_of
from sms.audiences import contents
from sms.audiences.files import rejects_csv
from sms.models import SavedAudience, Service
from sms.models.audit import audit


@service_page("export", WRITE)
def audience_export(request: HttpRequest, service: Service, pk: int) -> HttpResponse | StreamingHttpResponse:
    """The rows of a version as CSV. It holds whole numbers, so the audit records who took it."""
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    version = version_of(found, request)
    if version.erased_at:
        messages.error(
            request, f"The rows of version {version.number} were erased; there is nothing to export."
        )
        return redirect("audience", service=service.slug, pk=pk)
    audit(
        "audience.exported", found, by=actor(request), version=version.number, recipients=version.recipients
    )
    return csv_download(contents.export(version), name=f"audience-{found.pk}-version-{version.number}.csv")


@service_page("compose")
def audience_rejects(request: HttpRequest, service: Service, pk: int) -> StreamingHttpResponse:
    found = get_object_or_404(SavedAudience, service=service, pk=pk)
    version = version_of(found, request)
    audit(
        "audience.rejects_exported", found, by=actor(request), version=version.number, rows=version.rejected
    )
    name = f"rejects-audience-{pk}-version-{version.number}.csv"
    return csv_download(rejects_csv(contents.rejects_of(version)), name=name)
