"""Files that leave by the browser."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse


def csv_download(lines: Iterable[str | bytes], *, name: str) -> StreamingHttpResponse:
    """Stream CSV lines as an attachment. They bring the byte-order mark that office programs need to read UTF-8."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
