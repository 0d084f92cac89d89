"""The report of a send as a download: what it was asked for, and what became of each row."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from sms.api.v1 import access
from sms.api.v1.problems import invalid
from sms.api.v1.sends import OfSend
from sms.api.webex_posts import NoNegotiation
from sms.audiences.files import Limits
from sms.models import Send
from sms.sends import report
from sms.values.problems import ProblemCode

CSV = "text/csv; charset=utf-8"
KINDS = ("csv", "xlsx")


class SendReportFile(OfSend):
    content_negotiation_class = NoNegotiation  # a download, whatever a client says it likes to read
    pagination_class = None
    filter_backends = ()
    queryset = Send.objects.select_related("service", "sender", "audience").defer("audience__rejects")

    def parameters(self) -> set[str]:
        return {"kind"}

    @extend_schema(
        operation_id="sends_report",
        summary="Download the report of a send",
        parameters=[OpenApiParameter("kind", str, enum=KINDS, default="csv")],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="A line for each row."),
            (200, report.MEDIA_TYPE): OpenApiResponse(
                OpenApiTypes.BINARY, description="The same as a workbook."
            ),
        },
    )
    def list(self, request: Request, pk: int) -> HttpResponse | StreamingHttpResponse | FileResponse:
        """All columns that the request had, then the outcome of each row; rows that were left out have their reason.

        Whole numbers need the scope `numbers`, columns other than that of the numbers `texts`."""
        found = self.find(self.rows(), pk)
        kind = request.query_params.get("kind", "csv")
        if kind not in KINDS:
            raise invalid("kind", "Choose csv or xlsx.", code=ProblemCode.INVALID_CHOICE, choices=KINDS)
        whole = access.shows_numbers(request)
        limits = Limits(bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        made = report.taken(
            found, by=self.by, kind=kind, limits=limits, numbers=whole, texts=access.shows_texts(request)
        )
        name = f"report-send-{found.pk}.{kind}"
        if kind == "csv":
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(report.csv_of(made), content_type=CSV, headers=headers)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            report.write_xlsx(path, made)
            return FileResponse(
                path.open("rb"), as_attachment=True, filename=name, content_type=report.MEDIA_TYPE
            )
