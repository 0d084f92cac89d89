"""A request through the web server's own entry, in this process, with a stream as the server gives it."""

import io

from django.core.signals import request_started
from django.db import close_old_connections
from django.test import RequestFactory


def ask(
    method: str,
    path: str,
    sent: bytes,
    *,
    length: int | None = None,
    content_type: str = "application/json",
    **headers: str,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to `sent`; without `length` it is chunked."""
    from portal.wsgi import application
    from sms.api import refused_requests

    refused_requests.gather(on=False)  # no thread, which would not see what this test has not committed
    environ = RequestFactory().generic(method, path, headers=headers).environ
    environ |= {"CONTENT_TYPE": content_type, "wsgi.input": io.BytesIO(sent), "wsgi.input_terminated": True}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked"} if length is None else {"CONTENT_LENGTH": str(length)}
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    request_started.disconnect(close_old_connections)  # as the test client does: it would end the transaction
    try:
        content = b"".join(application(environ, lambda *given: begun.append(given)))
    finally:
        request_started.connect(close_old_connections)
    ((status, headers),) = begun
    return int(status.split()[0]), dict(headers), content
