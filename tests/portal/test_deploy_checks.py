"""`manage.py check --deploy` says what of this machine would spoil a first deployment."""

import http.server
import threading

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tests.support.internet import Authority


@pytest.fixture
def said(capsys, settings):
    """What the checks write; nothing of a password is in it."""
    settings.PUBLIC_URL, settings.HTTPS = "http://127.0.0.1:8000", False

    def run(**options: object) -> str:
        try:
            call_command("check", deploy=True, **options)
        except CommandError as found:
            return str(found)
        return capsys.readouterr().err

    return run


def test_folders_that_cannot_be_written_are_an_error(said, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.ARCHIVE_DIR = tmp_path / "file" / "archive"
    assert f"(portal.E001) ARCHIVE_DIR ({settings.ARCHIVE_DIR}) cannot be written: Not a directory." in said()
    settings.ARCHIVE_DIR = tmp_path / "archive"
    assert "portal.E001" not in said()


def test_mail_that_goes_nowhere_and_an_address_without_tls_are_warnings(said, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "portal.W001" in (words := said())
    assert "portal.W002" in words
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.PUBLIC_URL, settings.HTTPS = "https://127.0.0.1:9", True
    assert "portal.W001" not in (words := said())
    assert "portal.W002" not in words


@pytest.mark.django_db
@pytest.mark.postgresql
def test_a_clock_that_differs_from_the_databases_is_a_warning(said, settings):
    assert "portal.W003" not in said(databases=["default"])
    with time_machine.travel("2020-02-02 00:00Z"):
        assert "(portal.W003) This machine's clock is" in said(databases=["default"])


@pytest.fixture
def desk(tmp_path, monkeypatch, settings):
    """A web server with TLS on localhost, whose certificate is trusted."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "root.pem"))

    class Handler(http.server.BaseHTTPRequestHandler):
        status, date = 200, ""

        def do_GET(self) -> None:
            self.send_response_only(type(self).status)
            self.send_header("Date", type(self).date or self.date_time_string())
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = authority.server("localhost").wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield Handler, f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_operators_who_are_told_nothing_are_a_warning(said, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.OPERATIONS_MAIL_TO, settings.OPERATIONS_WEBHOOK = [], ""
    assert "portal.W005" in said()
    settings.OPERATIONS_MAIL_TO = ["night@example.test"]
    assert "portal.W005" not in said()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "portal.W005" in said(), "mail goes nowhere"
    settings.OPERATIONS_WEBHOOK = "https://hooks.example.test/"
    assert "portal.W005" not in said()


def test_the_public_address_is_tried_from_here(said, settings, desk):
    answers, settings.PUBLIC_URL = desk
    settings.OPERATIONS_WEBHOOK = "https://hooks.example.test/"
    settings.HTTPS = True
    assert "portal." not in said().replace("portal.W002", "")
    answers.date = "Mon, 01 Jan 2024 00:00:00 GMT"
    assert "ahead of that of localhost" in said()
    answers.status = 502
    assert "(portal.I001)" in (words := said())
    assert "/healthz answers 502" in words
    settings.PUBLIC_URL = "https://127.0.0.1:9"
    assert "does not answer from here" in said()
