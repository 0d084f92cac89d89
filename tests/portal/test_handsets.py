"""The wall of pretend phones: what the sandbox put on them, links that open, texts that come in; and the bar that says what is real."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.utils import timezone

from sms.ledger import states
from sms.ledger.counters import CounterDeltas
from sms.models import InboundMessage, Message, OptOut, Sender, Service, ShortLinkDomain
from sms.models.sql.messages import Acceptance
from sms.sends.person.identity import key_of
from sms.values import correlation_id
from tests.sandbox.running import order, receiver, sandbox
from tests.support.pages import text_of
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db

PAGE = "/s/shop/handsets/"


@pytest.fixture
def cast():
    made = a_cast(waiting=True)
    Sender.objects.create(service=made.service, address="72345", kind="short_code")
    return made


def sends_to(service, url: str) -> Service:
    Service.objects.filter(pk=service.pk).update(base_url=url)
    service.refresh_from_db()
    return service


def posted(service, text: str, **options) -> Message:
    message = a_send(service, content=text, **options).messages.get()
    deltas, at = CounterDeltas(), timezone.now() - timedelta(minutes=5)
    states.arm([message.pk], at=at, deltas=deltas)
    states.accept([Acceptance(message.pk, 1, f"p-{message.pk}")], at=at, deltas=deltas)
    deltas.write()
    return message


def put_on_phone(running, message: Message, **more) -> None:
    ours = correlation_id.write(message_id=message.pk, attempt=1, key=message.send.service.correlation_key)
    to = [{"msisdn": [message.msisdn], "correlationId": ours}]
    assert running.post(order(text=message.text) | {"to": to} | more).status == 201


def test_phones_show_what_the_sandbox_put_on_them_and_their_links_and_answers_come_back(cast, settings):
    with receiver() as taken, sandbox() as running:
        service = sends_to(cast.service, running.url)
        settings.PUBLIC_URL = taken.url.removesuffix("/receipts")
        domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.shop.test")
        message = posted(service, "Ten off: https://shop.example/sale מבצע " + "x" * 60, link_domain=domain)
        put_on_phone(
            running,
            message,
            notifyUrl=taken.url,
            options={"domain": domain.url, "shortenLinks": True, "trackClicks": True},
        )
        shown = running.last()["text"]
        link = shown.split(" ")[2]
        assert link.startswith("https://go.shop.test/")
        page = cast["composer"].get(PAGE).content.decode()
        assert f'value="{message.pk}-1"\n' in page and f">{link}</button>" in page
        assert (
            'class="seam"' in page and 'dir="auto"' in page and "on record" not in page.split('handsets"')[1]
        )
        assert message.msisdn not in page, "numbers are masked, as on every page"
        assert (
            "<button"
            not in cast["auditor"].get(PAGE).content.decode().split('class="handsets"')[1].split("</ul>")[0]
        )
        answer = cast["composer"].post(f"{PAGE}open/", {"link": f"{message.pk}-1", "wall": ""}, follow=True)
        assert "It leads to https://shop.example/sale" in text_of(answer)
        end = [one for one in taken.wait(3) if one.path == "/receipts"]
        assert "7528" in {one.code for one in end}, "the click is a receipt"
        said = {"person": key_of(service, message.msisdn), "to": "72345", "text": "STOP", "wall": ""}
        before = len(taken.got)
        answer = cast["composer"].post(f"{PAGE}reply/", said, follow=True)
        assert "comes in like any other SMS" in text_of(answer)
        came = taken.wait(before + 1)[-1]
        assert came.path == f"/inbound/{service.receipt_token}/"
        cast["visitor"].post(came.path, came.body, content_type="application/json")
        assert InboundMessage.objects.get().text == "STOP"
        assert OptOut.objects.get().msisdn == message.msisdn
        for query in (f"?message={message.pk}", f"?send={message.send_id}", f"?person={said['person']}"):
            page = text_of(cast["approver"].get(PAGE + query))
            assert "They wrote" in page and "Opted out" in page and "STOP" in page
        news = cast["composer"].get(f"{PAGE}news/").content.decode()
        assert 'hx-swap-oob="true"' in news and "<html" not in news


def test_a_phone_shows_nothing_of_other_services_and_opens_no_link_of_theirs(cast):
    with sandbox() as running:
        sends_to(cast.service, running.url)
        other = sends_to(cast.other, running.url)
        theirs = posted(other, "Only for them")
        put_on_phone(running, theirs)
        ours = posted(cast.service, "For you")
        assert ours.msisdn == theirs.msisdn
        page = text_of(cast["composer"].get(PAGE))
        assert "For you" in page and "on record" in page and "Only for them" not in page
        assert cast["composer"].get(f"{PAGE}?message={theirs.pk}").status_code == 404
        assert cast["composer"].post(f"{PAGE}open/", {"link": f"{theirs.pk}-1"}).status_code == 404
        made_up = {"person": key_of(other, ours.msisdn), "to": "72345", "text": "STOP"}
        assert cast["composer"].post(f"{PAGE}reply/", made_up).status_code == 404


def test_without_an_answer_of_the_sandbox_it_shows_our_records_and_says_so(cast):
    service = sends_to(cast.service, "http://127.0.0.1:9")
    message = posted(service, "Hello")
    page = text_of(cast["composer"].get(PAGE))
    assert "The sandbox does not answer just now" in page and "Hello" in page
    said = {"person": key_of(service, message.msisdn), "to": "72345", "text": "STOP"}
    assert "does not answer" in text_of(cast["composer"].post(f"{PAGE}reply/", said, follow=True))
    assert "See it on the phone" in text_of(cast["composer"].get(f"/s/shop/messages/{message.pk}/"))
    assert "See the phones" in text_of(cast["composer"].get(f"/s/shop/sends/{message.send_id}/"))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"handsets": "none"}', b'{"+447700900001": [{}]}'])
def test_what_answers_in_the_place_of_a_sandbox_is_no_broken_page(cast, body):
    class Another(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Another) as server:
        answering = threading.Thread(target=server.serve_forever)
        answering.start()
        service = sends_to(cast.service, f"http://127.0.0.1:{server.server_port}")
        posted(service, "Hello")
        page = text_of(cast["composer"].get(PAGE))
        server.shutdown()
        answering.join()
    assert "Something answered, but not as the sandbox does" in page and "Hello" in page


@pytest.mark.parametrize(
    ("url", "word"),
    [("http://127.0.0.1:9", "Sandbox Nothing that is sent here"), ("", "Live Messages of Shop")],
)
def test_every_page_says_whether_messages_are_real(cast, url, word):
    sends_to(cast.service, url)
    for page in ("", "compose/", "sends/", "reports/", "settings/"):
        assert word in text_of(cast["admin"].get(f"/s/shop/{page}")), page
    there_are_phones = {True: 200, False: 404}[bool(url)]
    assert (
        cast["admin"].get(PAGE).status_code
        == cast["admin"].get(f"{PAGE}news/").status_code
        == there_are_phones
    )
