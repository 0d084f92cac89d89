"""Files that leave by the browser."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

CSV = "text/csv; charset=utf-8"


def download(lines: Iterable[str | bytes], *, name: str, kind: str) -> StreamingHttpResponse:
    """Stream an attachment; `kind` is its content type."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type=kind, headers=headers)


def csv_download(lines: Iterable[str | bytes], *, name: str) -> StreamingHttpResponse:
    """CSV lines. They bring the byte-order mark that office programs need to read UTF-8."""
    return download(lines, name=name, kind=CSV)
