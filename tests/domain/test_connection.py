"""The connection test: a clear verdict for everything that can answer, kept with the service; and nobody is written to."""

import httpx
import pytest

from sms.catalogue import connection
from sms.catalogue.connection import Verdict
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
        (refused("7000"), Verdict.WORKS),
        (refused("7003", 422), Verdict.WORKS),
        (refused("7001"), Verdict.CREDENTIALS),
        (refused("7002"), Verdict.CREDENTIALS),
        (raw_reply(401), Verdict.CREDENTIALS),
        (raw_reply(403), Verdict.ACCOUNT),
        (raw_reply(404), Verdict.ADDRESS),
        (raw_reply(405), Verdict.ADDRESS),
        (raw_reply(429), Verdict.BUSY),
        (refused("7020"), Verdict.BUSY),
        (raw_reply(400, b"<html>Bad Request</html>"), Verdict.ODD),
        (raw_reply(302, headers={"Location": "https://elsewhere.example"}), Verdict.ODD),
        (raw_reply(200, b"<html>Welcome</html>"), Verdict.ODD),
        (raw_reply(201, b'{"messageId": "1", "status": "queued"}'), Verdict.ODD),
        (raw_reply(500), Verdict.TROUBLE),
        (httpx.ConnectError("no"), Verdict.UNREACHABLE),
        (httpx.ReadTimeout("slow"), Verdict.SLOW),
        (httpx.ReadError("cut"), Verdict.ODD),
    ],
)
def test_each_answer_has_its_verdict(answer, verdict):
    bodies, client_for = asking(answer)
    found, _ = connection.look(a_service(), client_for=client_for)
    assert found == verdict
    assert bodies == [b"{}"], "one request, and nobody in it"


def test_a_blocked_account_is_told_in_the_providers_words():
    _, client_for = asking(refused("7008"))
    verdict, words = connection.look(a_service(), client_for=client_for)
    assert (verdict, words) == (Verdict.ACCOUNT, "refused with 7008")


@pytest.mark.parametrize("changes", [{"api_key": ""}, {"api_key": "with space"}, {"base_url": "https://"}])
def test_what_no_client_can_be_made_of_is_told_without_asking_anybody(changes):
    bodies, client_for = asking(refused("7000"))
    verdict, words = connection.look(a_service(**changes), client_for=client_for)
    assert (verdict, bodies) == (Verdict.UNUSABLE, [])
    assert words


def test_the_verdict_is_kept_and_audited():
    service = a_service()
    _, client_for = asking(refused("7000"))
    connection.try_out(service, by=BY, client_for=client_for)
    kept = Service.objects.get()
    assert (kept.check_verdict, kept.checked_at is None) == ("works", False)
    assert AuditEvent.objects.get(act="service.tested").details == {"verdict": "works"}
