"""The connection test: a clear verdict for everything that can answer, kept with the service; no message is sent."""

import httpx
import pytest

from sms.catalogue import connection
from sms.catalogue.connection import ConnectionVerdict
from sms.models import AuditEvent, Service
from sms.webex.client import Client
from tests.support.provider import raw_reply, refused
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db


def asking(answer):
    """A client whose provider answers like this; `bodies` are what it was sent."""
    bodies: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return bodies, lambda line: Client(line.base_url, line.credentials(), transport=httpx.MockTransport(take))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (refused("7000"), ConnectionVerdict.WORKS),
        (refused("7003", 422), ConnectionVerdict.WORKS),
        (refused("7001"), ConnectionVerdict.CREDENTIALS),
        (refused("7002"), ConnectionVerdict.CREDENTIALS),
        (raw_reply(401), ConnectionVerdict.CREDENTIALS),
        (raw_reply(403), ConnectionVerdict.ACCOUNT),
        (raw_reply(404), ConnectionVerdict.ADDRESS),
        (raw_reply(405), ConnectionVerdict.ADDRESS),
        (raw_reply(429), ConnectionVerdict.BUSY),
        (refused("7020"), ConnectionVerdict.BUSY),
        (raw_reply(400, b"<html>Bad Request</html>"), ConnectionVerdict.ODD),
        (raw_reply(302, headers={"Location": "https://elsewhere.example"}), ConnectionVerdict.ODD),
        (raw_reply(200, b"<html>Welcome</html>"), ConnectionVerdict.ODD),
        (raw_reply(201, b'{"messageId": "1", "status": "queued"}'), ConnectionVerdict.ODD),
        (raw_reply(500), ConnectionVerdict.TROUBLE),
        (httpx.ConnectError("no"), ConnectionVerdict.UNREACHABLE),
        (httpx.ReadTimeout("slow"), ConnectionVerdict.SLOW),
        (httpx.ReadError("cut"), ConnectionVerdict.ODD),
    ],
)
def test_each_answer_has_its_verdict(answer, verdict):
    bodies, client_for = asking(answer)
    found, _ = connection.probe(a_service(), client_for=client_for)
    assert found == verdict
    assert bodies == [b"{}"], "one request, and nobody in it"


def test_a_blocked_account_is_reported_in_the_providers_words():
    _, client_for = asking(refused("7008"))
    verdict, words = connection.probe(a_service(), client_for=client_for)
    assert (verdict, words) == (ConnectionVerdict.ACCOUNT, "refused with 7008")


@pytest.mark.parametrize("changes", [{"api_key": ""}, {"api_key": "with space"}, {"base_url": "https://"}])
def test_what_no_client_can_be_made_of_is_reported_without_a_request(changes):
    bodies, client_for = asking(refused("7000"))
    verdict, words = connection.probe(a_service(**changes), client_for=client_for)
    assert (verdict, bodies) == (ConnectionVerdict.UNUSABLE, [])
    assert words


def test_the_verdict_is_kept_and_audited():
    service = a_service()
    _, client_for = asking(refused("7000"))
    connection.check_connection(service, by=BY, client_for=client_for)
    kept = Service.objects.get()
    assert (kept.check_verdict, kept.checked_at is None) == ("works", False)
    assert AuditEvent.objects.get(act="service.tested").details == {"verdict": "works"}
