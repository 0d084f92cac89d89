"""The list of sends and the page of one: the bar of its states, and what an address can and cannot ask for."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.limits import upload_limits
from sms.compose.drafts import order_of_draft
from sms.models import AuditEvent, Draft, Send, StateCount
from sms.sends import messages
from sms.sends.progress import progress_of
from sms.sends.speed import speed_of
from tests.support.people import signed_in
from tests.support.provider import Provider, accepted, refused
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def bar(page: str) -> list[tuple[str, str, str]]:
    return re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="0" width="([\d.]+)"', page)


def test_the_bar_shows_each_state_by_its_share_the_surest_first(service, composer):
    send = a_send(service, 4)
    address = f"/s/shop/sends/{send.pk}/"
    assert bar(composer.get(address).content.decode()) == [("pending", "0.000", "100.000")]
    first = send.messages.order_by("row").first().msisdn.lstrip("+")
    Provider(
        lambda body: refused("7102") if body["to"][0]["msisdn"] == [first] else accepted(body)
    ).dispatch()
    page = composer.get(address).content.decode()
    assert bar(page) == [("failed", "0.000", "25.000"), ("queued", "25.000", "75.000")]
    assert re.findall(r'id="count-(\w+)"', page) == ["failed", "queued"], "in the order of the bar"


def test_the_progress_is_asked_for_until_every_message_is_settled(service, composer):
    send = a_send(service, 2)
    progress = f"/s/shop/sends/{send.pk}/progress/"
    assert "every 2s" in composer.get(progress).content.decode()
    Provider(lambda _: refused("7102")).dispatch()
    page = composer.get(progress).content.decode()
    assert "every 2s" not in page and "Finished: 0 of 2 delivered" in page


@pytest.mark.parametrize(
    "query",
    [
        "before=0",
        "before=-1",
        "before=x",
        "before=9223372036854775808",
        "state=gone",
        "tests=all",
        "by=team:1",
    ],
)
def test_what_an_address_asks_without_sense_asks_for_nothing(service, composer, query):
    send = a_send(service, name="Spring sale")
    page = composer.get(f"/s/shop/sends/?{query}")
    assert [row.send for row in page.context["rows"]] == [send]


@pytest.mark.parametrize("query", ["by=user:x", "by=user:99999999999999999999", "label=Not a label!", "q=x"])
def test_what_no_send_has_finds_none_and_the_way_back(service, composer, query):
    a_send(service, name="Sale")
    page = composer.get(f"/s/shop/sends/?{query}").content.decode()
    assert "No such send" in page and "All sends" in page


def test_the_place_in_the_list_is_below_the_send_that_it_names(service, composer):
    sends = [a_send(service, name=f"Sale {place}") for place in range(3)]
    page = composer.get(f"/s/shop/sends/?before={sends[2].pk}&q=sale")
    assert [row.send for row in page.context["rows"]] == [sends[1], sends[0]]
    assert 'href="?q=sale"' in page.content.decode(), "back to the newest of the same search"


def test_a_send_held_by_its_sender_or_its_domain_is_marked_in_the_list(service, composer):
    from sms.models import Actor
    from sms.sends import holds

    held, other = a_send(service), a_send(service)
    Send.objects.filter(pk=other.pk).update(
        sender=service.senders.create(address="OTHER", kind="alphanumeric")
    )
    holds.hold(held.sender, by=Actor.system(), because="being moved")
    page = composer.get("/s/shop/sends/")
    assert page.context["held"] == {held.pk}


def test_each_count_and_each_code_of_a_send_leads_to_its_messages(service, composer):
    send = a_send(service, 3)
    first = send.messages.order_by("row").first()
    Provider(
        lambda body: (
            refused("7102") if body["to"][0]["msisdn"] == [first.msisdn.lstrip("+")] else accepted(body)
        )
    ).dispatch()
    page = composer.get(f"/s/shop/sends/{send.pk}/progress/").text
    leads = dict(re.findall(r'href="(/s/shop/[^"]+)"\s+aria-label="([^"]+)"', page))
    of_code = f"/s/shop/sends/{send.pk}/?code=7102#messages"
    assert leads == {
        f"/s/shop/sends/{send.pk}/?state=failed#messages": "1: Failed",
        f"/s/shop/sends/{send.pk}/?state=queued#messages": "2: Accepted",
        of_code: "7102: all of this send with this code",
    }
    assert page.count(of_code) == 2, "of the table of failures, and of the message"
    found = composer.get(of_code.partition("#")[0])
    assert [one.pk for one in found.context["rows"]] == [first.pk]


def test_the_messages_come_with_the_figures_and_say_the_same(service, composer):
    send = a_send(service, 2)
    asked = re.search(r'hx-get="([^"]+)"', composer.get(f"/s/shop/sends/{send.pk}/?state=failed").text)[1]
    assert asked == f"/s/shop/sends/{send.pk}/progress/?state=failed"
    assert "No message fits all of that" in composer.get(asked).text
    Provider(lambda _: refused("7102")).dispatch()
    part = composer.get(asked)
    assert 'id="send-messages" hx-swap-oob="true"' in part.text
    assert len(part.context["rows"]) == 2 and "Finished: 0 of 2 delivered" in part.text
    assert re.search(r'data-as-of="\d\d:\d\d:\d\d \w+"', part.text)


def test_messages_of_a_send_are_found_by_state_code_row_and_the_end_of_a_number(service, composer):
    send = a_send(service, 30)
    rows = list(send.messages.order_by("pk"))
    send.messages.filter(pk__lte=rows[9].pk).update(state="failed", code="7102")
    send.messages.filter(pk__gt=rows[19].pk).update(state="failed", code="7203")
    admin = signed_in("admin@example.test", service, "admin")

    def found(query: str, client=admin) -> list[int]:
        return [one.pk for one in client.get(f"/s/shop/sends/{send.pk}/?{query}").context["rows"]]

    pks = [one.pk for one in rows]
    assert found("") == pks
    assert found("state=failed") == pks[:10] + pks[20:]
    assert found("state=failed&code=7203") == pks[20:]
    assert found("row=5") == [one.pk for one in rows if one.row == 5]
    ends = rows[3].msisdn[-3:]
    assert found(f"ends={ends}") == [one.pk for one in rows if one.msisdn.endswith(ends)]
    assert found(f"after={pks[24]}&code=7203") == pks[25:]
    for query, said in {
        "state=gone": "Select a valid choice",
        "row=x": "Enter a whole number",
        "ends=1": "two to four digits",
    }.items():
        page = admin.get(f"/s/shop/sends/{send.pk}/?{query}")
        assert said in page.text and "Nothing was looked for" in page.text, query
    page = composer.get(f"/s/shop/sends/{send.pk}/?ends={ends}")
    assert "Only an admin or an auditor" in page.text and not page.context["rows"]


def test_a_search_that_takes_too_long_goes_on_at_the_next_press(service, monkeypatch):
    send = a_send(service, 30)
    last = send.messages.order_by("pk").last()
    send.messages.filter(pk=last.pk).update(state="failed")
    monkeypatch.setattr(messages, "WINDOW", 7)
    failed = messages.SendMessageSelection(state="failed")
    found = messages.messages_of(send, failed, patience=0)
    assert found.messages == [] and found.looked_to == send.messages.order_by("pk").first().pk - 1
    pks = [one.pk for one in messages.messages_of(send, failed).messages]
    assert pks == [last.pk], "through all windows"


def test_the_speed_of_a_send_and_when_it_will_be_posted(service, composer):
    service.rate = 50
    service.save(update_fields=["rate"])
    send = a_send(service, 200, ramp=True)
    Provider().dispatch()
    send.refresh_from_db()
    began = send.messages.order_by("pk").first().posted_at
    progress = progress_of(send)
    speed = speed_of(progress, now=began + timedelta(seconds=10))
    assert speed.per_second == pytest.approx(progress.posted / 10)
    assert speed.left.total_seconds() == pytest.approx(progress.open / speed.per_second)
    assert speed_of(progress, now=began + timedelta(seconds=1)).per_second is None, "too short to say"
    assert speed_of(progress, now=began + timedelta(minutes=20)).per_second == 0
    window = int(began.timestamp()) // StateCount.WINDOW + 1
    soon = datetime.fromtimestamp(
        window * StateCount.WINDOW + 10, UTC
    )  # too little of its window to measure by
    seconds = (soon - began).total_seconds()
    assert speed_of(progress, now=soon).per_second == pytest.approx(progress.posted / seconds)
    with time_machine.travel(began + timedelta(seconds=10)):
        assert re.search(
            r"a second over the last\s+minutes, of\s+50 contracted",
            composer.get(f"/s/shop/sends/{send.pk}/").text,
        )


def test_a_send_that_is_handed_over_says_when_and_how_fast(service, composer):
    send = a_send(service, 40)
    Provider().dispatch()
    began = send.messages.order_by("pk").first().posted_at
    Send.objects.filter(pk=send.pk).update(posted_at=began + timedelta(seconds=8))
    assert re.search(r"Handed over [^.]+, at 5 a second\.", composer.get(f"/s/shop/sends/{send.pk}/").text)


def test_those_that_failed_with_a_code_are_sent_to_again(service, composer):
    send = a_send(service, 4)
    numbers = [one.msisdn for one in send.messages.order_by("row")]
    codes = dict(zip(numbers, ("7102", "7102", "7203", ""), strict=True))
    Provider(
        lambda body: refused(code) if (code := codes[f"+{body['to'][0]['msisdn'][0]}"]) else accepted(body)
    ).dispatch()
    page = composer.get(f"/s/shop/sends/{send.pk}/").text
    again = re.search(r'id="again-7102" href="([^"]+)"', page)[1]
    asked = composer.get(again)
    assert asked.context["chosen"] == "failed" and "(2)" in asked.text
    composer.post(again.partition("?")[0], {"who": "failed", "code": "7102"})
    draft = Draft.objects.get()
    lines = order_of_draft(draft, limits=upload_limits()).audience.recipients
    assert [one.msisdn for one in lines] == numbers[:2]
    assert AuditEvent.objects.get(act="send.duplicated").details["code"] == "7102"
    none = composer.post(again.partition("?")[0], {"who": "failed", "code": "9999"})
    assert none.status_code == 422 and "No message failed with 9999" in none.text
