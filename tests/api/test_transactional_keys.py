"""What a key is for: quiet hours and approval; what a request waits for, said in the reply and when it is read; addresses not called."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from sms.dispatch import claim
from sms.models import ApprovalRules, Notify, Purpose, Send, Service
from sms.models.callback import CallbackEndpoint
from sms.sends import answers, control, holds
from sms.sends.waits import waits_of
from tests.support.approvals import a_person, acting, request_of
from tests.support.drop_in import body, get, post
from tests.support.partners import a_key, a_partner, a_partner_service
from tests.support.provider import Provider
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
V1 = {"text": "Hello", "recipients": ["+447700900101"]}
TRANSACTIONAL = {"name": "Codes", "purpose": Purpose.TRANSACTIONAL}


def quiet_now() -> str:
    """Quiet hours around this moment, by the clock of London."""
    here = timezone.localtime(timezone.now(), timezone=ZoneInfo("Europe/London"))
    return f"{here - timedelta(hours=2):%H:00}-{here + timedelta(hours=2):%H:00}"


def not_now() -> str:
    """Ordinary hours that are not now."""
    here = timezone.localtime(timezone.now(), timezone=ZoneInfo("Europe/London"))
    return f"{here + timedelta(hours=3):%H:00}-{here + timedelta(hours=5):%H:00}"


def posted() -> list[str]:
    provider = Provider()
    provider.dispatch()
    return sorted(provider.numbers)


def waits(answer) -> list[str]:
    return [one["code"] for one in answer.json().get("textdesk", {}).get("waits", [])]


def many(count: int) -> list[dict]:
    return [{"msisdn": [f"4477009{number:05d}" for number in range(count)]}]


# --- quiet hours ---------------------------------------------------------------------------------------------------------


def test_quiet_hours_keep_back_what_is_marketing_and_nothing_that_is_transactional():
    service = a_partner_service(quiet_hours=quiet_now())
    usual, codes = a_key(service), a_key(service, **TRANSACTIONAL)
    later, at_once = post(usual, body("447700900001")), post(codes, body("447700900002"))
    assert (waits(later), waits(at_once)) == (["quiet_hours"], [])
    until = later.json()["textdesk"]["waits"][0]["until"]
    assert datetime.now(UTC) < datetime.fromisoformat(until) < datetime.now(UTC) + timedelta(hours=3)
    assert posted() == ["447700900002"]
    assert waits(get(usual, later.json()["messageId"])) == ["quiet_hours"]


def test_a_request_can_say_otherwise_than_its_key():
    service = a_partner_service(quiet_hours=quiet_now())
    asked = body(textdesk={"respect_quiet_hours": True})
    assert waits(post(a_key(service, **TRANSACTIONAL), asked)) == ["quiet_hours"]
    assert waits(post(a_key(service), body(textdesk={"respect_quiet_hours": False}))) == []


def test_api_v1_has_both_too():
    service, partner = a_partner(quiet_hours=quiet_now())
    made = partner.post("sends", V1, Idempotency_Key="a").json()
    assert (made["respect_quiet_hours"], [one["code"] for one in made["waits"]]) == (True, ["quiet_hours"])
    posted()
    (listed,) = partner.get("sends").json()["items"]
    assert listed["waits"][0]["until"] == made["waits"][0]["until"]
    service.api_keys.update(purpose=Purpose.TRANSACTIONAL)
    made = partner.post("sends", V1, Idempotency_Key="b").json()
    assert (made["respect_quiet_hours"], made["waits"]) == (False, [])
    both = partner.get("sends").json()["items"]
    assert [len(one["waits"]) for one in both] == [0, 1]


# --- approval ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "count", "waits_for"),
    [
        ({"size": 1, "size_approvers": 1}, 1, []),
        ({"size": 1, "size_approvers": 2}, 100, []),
        ({"size": 1, "size_approvers": 1}, 101, ["approval"]),
        ({"outside_hours": 1, "hours": "now"}, 100, []),
        ({"outside_hours": 1, "hours": "now"}, 101, ["approval"]),
        ({"new_sender": 1}, 1, ["approval"]),
        ({"new_country": 1}, 1, ["approval"]),
    ],
)
def test_rules_about_size_and_hour_are_for_campaigns_and_those_about_what_is_new_for_all(
    rule, count, waits_for
):
    service = a_partner_service()
    rule = rule | ({"hours": not_now()} if "hours" in rule else {})
    ApprovalRules.objects.create(service=service, **rule)
    news, codes = a_key(service), a_key(service, **TRANSACTIONAL)  # later ones wait for a second admin
    assert waits(post(news, body(to=many(count)))) == ["approval"]
    answer = post(codes, body(to=many(count)))
    assert waits(answer) == waits(get(codes, answer.json()["messageId"])) == waits_for
    assert len(posted()) == (0 if waits_for else count)


def test_api_v1_is_exempt_alike_and_its_plan_says_so():
    service, partner = a_partner()
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    plan = partner.post("sends/plan", V1).json()
    assert plan["approval"]["approvers"] == 1
    made = partner.post("sends", V1, Idempotency_Key="a").json()
    assert (made["state"], [one["code"] for one in made["waits"]]) == ("awaiting", ["approval"])
    service.api_keys.update(purpose=Purpose.TRANSACTIONAL)
    assert partner.post("sends/plan", V1).json()["approval"]["approvers"] == 0
    assert partner.post("sends", V1, Idempotency_Key="b").json()["state"] != "awaiting"


def test_another_purpose_lets_nothing_out_that_waits_already():
    service = a_partner_service()
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    token = a_key(service)
    post(token, body())
    service.api_keys.update(purpose=Purpose.TRANSACTIONAL)
    assert posted() == []


def test_what_was_approved_waits_no_longer():
    service = a_partner_service()
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    token = a_key(service)
    message_id = post(token, body()).json()["messageId"]
    person, request = a_person("bob", service), request_of(Send.objects.get())
    answers.approve(request, by=acting(person), seen=request.fingerprint)
    assert waits(get(token, message_id)) == []


# --- what else is waited for ---------------------------------------------------------------------------------------------


def test_a_later_time_is_said_with_its_moment():
    token = a_key(a_partner_service())
    at = (timezone.now() + timedelta(hours=2)).isoformat(timespec="milliseconds")
    answer = post(token, body(sendAt=at))
    (one,) = answer.json()["textdesk"]["waits"]
    assert (one["code"], datetime.fromisoformat(one["until"])) == ("send_at", datetime.fromisoformat(at))
    assert waits(get(token, answer.json()["messageId"])) == ["send_at"]


@pytest.mark.parametrize("what", ["service", "sender", "send"])
def test_a_pause_is_said_and_so_is_its_end(what):
    service = a_partner_service()
    token = a_key(service)
    if what == "send":
        message_id = post(token, body()).json()["messageId"]
        holds.hold(Send.objects.get(), by=BY, because="Look at it")
    else:
        if what == "service":
            control.pause_everything(service, by=BY, because="Credentials")
        else:
            holds.hold(service.senders.get(), by=BY, because="Look at it")
        answer = post(token, body())
        assert waits(answer) == ["pause"]
        message_id = answer.json()["messageId"]
    found = get(token, message_id)
    assert waits(found) == ["pause"]
    says = found.json()["textdesk"]["waits"][0]
    assert says["until"] is None and says["detail"].startswith("It is paused") == (what == "send")
    if what == "service":
        control.resume_service(Service.objects.get(), by=BY)
    else:
        holds.lift(holds.hold_on(Send.objects.get() if what == "send" else service.senders.get()), by=BY)
    assert "textdesk" not in get(token, message_id).json()


def test_nothing_is_said_where_nothing_is_waited_for():
    token = a_key(a_partner_service())
    answer = post(token, body())
    assert list(answer.json()) == ["requestTimestamp", "messageId", "correlationId", "status"]
    assert posted() == ["447700900001"]
    assert "textdesk" not in get(token, answer.json()["messageId"]).json()
    assert waits_of(Send.objects.get(), now=timezone.now()) == [], "it has gone"


def test_a_list_of_sends_that_wait_takes_as_many_queries_for_many(django_assert_max_num_queries):
    _, partner = a_partner(quiet_hours=quiet_now())
    for number in range(12):
        partner.post("sends", V1, Idempotency_Key=str(number))
    claim.sweep()
    assert posted() == [], "all wait for the morning"
    with django_assert_max_num_queries(14):
        assert len(partner.get("sends").json()["items"]) == 12


# --- a notifyUrl that is not called --------------------------------------------------------------------------------------

UNCALLED = (
    *("https://partner.example.com:9443/r", "https://10.0.0.5/r", "https://intranet/r"),
    *("http://partner.example.com/r", "https://user:pw@partner.example.com/r", "nowhere"),
)


@pytest.mark.parametrize("url", UNCALLED)
def test_the_message_goes_and_the_reply_says_that_its_address_is_not_called(url):
    service = a_partner_service()
    token = a_key(service)
    answer = post(token, body(notifyUrl=url))
    assert answer.status_code == 201
    (notice,) = answer.json()["textdesk"]["notices"]
    assert notice["field"] == "notifyUrl" and "so no receipts are passed on. " in notice["detail"]
    found = get(token, answer.json()["messageId"]).json()
    assert (found["notifyUrl"], found["textdesk"]["notices"][0]["field"]) == (url, "notifyUrl")
    assert posted() == ["447700900001"]
    assert not Notify.objects.exists()


@pytest.mark.parametrize("url", UNCALLED)
def test_a_key_can_want_such_a_request_refused(url):
    answer = post(a_key(a_partner_service(), needs_notify_url=True), body(notifyUrl=url))
    assert (answer.status_code, answer.json()["code"]) == (400, "7004")
    assert answer.json()["message"].startswith("Invalid parameter - notifyUrl: ")
    assert not Send.objects.exists()


def test_more_hosts_than_are_called_do_not_refuse_a_message_either():
    service = a_partner_service()
    token = a_key(service)
    strict = a_key(service, name="Strict", needs_notify_url=True)
    CallbackEndpoint.objects.bulk_create(
        CallbackEndpoint(
            service=service,
            kind="notify",
            url=f"https://h{n}.example.com",
            name=f"h{n}",
            key_owner=key.identity,
        )
        for n in range(500)
        for key in service.api_keys.all()
    )
    answer = post(token, body(notifyUrl="https://one.more.example.com/r"))
    assert answer.status_code == 201
    assert "500 hosts" in answer.json()["textdesk"]["notices"][0]["detail"]
    refused = post(strict, body(notifyUrl="https://one.more.example.com/r"))
    assert refused.status_code == 400


def test_an_address_that_is_called_gets_no_notice():
    answer = post(a_key(a_partner_service()), body(notifyUrl="https://partner.example.com/r"))
    assert "textdesk" not in answer.json()
    assert Notify.objects.count() == 1
