"""The report of a send as a download: the rows it went to, and what became of each."""

import tempfile
from pathlib import Path

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase

from portal.access import WRITE, actor, service_page
from portal.limits import upload_limits
from portal.presenters.downloads import csv_download
from sms.compose.drafts.recipients_of_send import numbers_withheld
from sms.models import Send, Service
from sms.sends import report

SENDS = Send.objects.select_related("service", "sender", "audience").defer("audience__rejects")


@service_page("report", WRITE, of=SENDS)
def send_report(request: HttpRequest, _service: Service, found: Send) -> HttpResponseBase:
    """CSV, or with `kind=xlsx` a workbook."""
    whole = shows_whole_numbers(request, found)
    kind = "xlsx" if request.POST.get("kind") == "xlsx" else "csv"
    made = report.taken(found, by=actor(request), kind=kind, limits=upload_limits(), numbers=whole)
    name = report.name_of(found, kind=kind)
    if kind == "csv":
        return csv_download(report.csv_of(made), name=name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        report.write_xlsx(path, made)
        return FileResponse(
            path.open("rb"), as_attachment=True, filename=name, content_type=report.MEDIA_TYPE
        )


def shows_whole_numbers(request: HttpRequest, found: Send) -> bool:
    """To those who may export, and to whoever sent it from a file or a paste of their own."""
    held: frozenset[str] = request.may  # type: ignore[attr-defined]
    own = "compose" in held and found.created_by_id == request.user.pk
    return "export" in held or (own and not numbers_withheld(found))
