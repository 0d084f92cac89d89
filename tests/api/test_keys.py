"""API keys: what opens, what does not, at once; how often; and the same request made again."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from sms.api.throttle import MinuteBudgets
from sms.catalogue import api_keys
from sms.models import ApiKey, ApiKeyUse, AuditEvent, IdempotentAnswer, Message, Send
from tests.support.drop_in import body, get, post
from tests.support.partners import a_key, a_partner_service
from tests.support.sends import BY

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return a_partner_service()


def the_key() -> ApiKey:
    return ApiKey.objects.select_related("service").get()


def test_a_key_is_kept_as_a_digest_only(service):
    token = a_key(service)
    key = the_key()
    assert token.startswith(key.prefix + "_")
    assert token not in str(ApiKey.objects.values().get())
    event = AuditEvent.objects.get(act="api_key.added")
    assert event.noun_key == key.prefix
    assert token not in str(event.details)


def test_both_headers_open(service):
    token = a_key(service)
    assert post(token, body()).status_code == 201
    assert post("", body(), Authorization=f"Bearer {token}").status_code == 201
    assert post(token, body(), Authorization="Bearer nothing").status_code == 401


@pytest.mark.parametrize("wrong", ["", "x", "td_live_00000000_x", "same prefix"])
def test_what_is_no_key_is_401_without_a_body(service, wrong):
    token = a_key(service)
    answer = post(
        token[:-1] + ("A" if token[-1] != "A" else "B") if wrong == "same prefix" else wrong, body()
    )
    assert (answer.status_code, answer.content) == (401, b"")
    assert not Send.objects.exists()


def test_a_revoked_key_is_refused_with_the_next_request(service):
    token = a_key(service)
    assert post(token, body()).status_code == 201
    assert api_keys.revoke(the_key(), by=BY)
    assert post(token, body()).status_code == 401
    assert not api_keys.revoke(the_key(), by=BY)
    assert AuditEvent.objects.filter(act="api_key.revoked").count() == 1


def test_an_expired_key_is_refused(service):
    token = a_key(service, expires_at=timezone.now() + timedelta(hours=1))
    assert post(token, body()).status_code == 201
    ApiKey.objects.update(expires_at=timezone.now())
    assert post(token, body()).status_code == 401


@pytest.mark.parametrize(("networks", "status"), [(["127.0.0.0/8"], 201), (["192.0.2.0/24", "::1"], 400)])
def test_a_key_opens_from_its_networks_only(service, networks, status):
    answer = post(a_key(service, networks=networks), body())
    assert answer.status_code == status
    if status == 400:
        assert answer.json() == {"code": "7127", "message": "Source IP is not allowed"}


def test_a_scope_that_is_missing_is_named(service):
    answer = post(a_key(service, scopes=["read"]), body())
    assert answer.status_code == 403
    assert "“send”" in answer.json()["message"]
    assert get(a_key(service, name="Other", scopes=["send"]), "x").status_code == 403


def test_what_a_test_key_sends_is_simulated_whatever_its_service_is_connected_to(service):
    token = a_key(service, is_test=True)
    assert token.startswith("td_test_")
    for base_url in (service.base_url, "https://api.uk.webexconnect.io"):
        type(service).objects.update(base_url=base_url)
        answer = post(token, body())
        assert answer.status_code == 201 and answer.json()["textdesk"]["test"] is True
    assert "textdesk" not in post(a_key(service), body()).json()
    assert list(Send.objects.order_by("pk").values_list("simulated", flat=True)) == [True, True, False]


def test_two_keys_of_a_name_at_a_time(service):
    first, second = a_key(service), a_key(service)
    assert post(first, body()).status_code == post(second, body()).status_code == 201
    with pytest.raises(ValidationError, match="has 2 usable keys"):
        a_key(service)
    api_keys.revoke(ApiKey.objects.order_by("pk").first(), by=BY)
    third = a_key(service)
    assert [post(token, body()).status_code for token in (first, second, third)] == [401, 201, 201]


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": []}, {"scopes": ["fly"]}, {"networks": ["300.1.1.1"]}, {"per_minute": 0}, {"name": ""}],
)
def test_a_key_that_makes_no_sense_is_not_made(service, wrong):
    with pytest.raises(ValidationError):
        a_key(service, **wrong)
    assert not ApiKey.objects.exists()


def test_the_last_use_is_noted_once_a_minute(service):
    token = a_key(service)
    post(token, body())
    noted = the_key().last_used_at
    assert noted
    post(token, body())
    assert the_key().last_used_at == noted


def test_the_command_prints_the_key_and_nothing_else(service, capsys):
    call_command("api_key", service="shop", name="Shop", scopes="send,read")
    token = capsys.readouterr().out.strip()
    assert post(token, body()).status_code == 201
    with pytest.raises(CommandError, match="no scope “fly”"):
        call_command("api_key", service="shop", name="X", scopes="fly")
    with pytest.raises(CommandError, match="no service nowhere"):
        call_command("api_key", service="nowhere", name="X", scopes="send")


# --- Rate -----------------------------------------------------------------------------------------------------------------


def test_over_the_rate_is_429_with_retry_after(service):
    token = a_key(service, per_minute=2)
    answers = [post(token, body()) for _ in range(3)]
    while answers[-1].status_code == 201:  # the minute ended in between
        answers = [*answers[1:], post(token, body())]
    last = answers[-1]
    assert last.status_code == 429
    assert last.json()["code"] == "7020"
    assert 1 <= int(last["Retry-After"]) <= 61
    assert last["RateLimit-Limit"] == "2"
    assert last["RateLimit-Remaining"] == "0"
    assert last["RateLimit-Policy"] == '"key";q=2;w=60'
    assert last["RateLimit"] == f'"key";r=0;t={last["RateLimit-Reset"]}'
    assert answers[0]["RateLimit-Remaining"] in ("0", "1")


def test_processes_share_a_keys_minute_and_never_exceed_it(service):
    a_key(service, per_minute=1000)
    now = [120.0]
    processes = [MinuteBudgets(clock=lambda: now[0]) for _ in range(3)]
    key = the_key()
    allowed = [sum(budgets.spend(key).allowed for _ in range(600)) for budgets in processes]
    assert sum(allowed) == 1000
    assert not processes[0].spend(key).allowed
    now[0] += 60
    assert processes[0].spend(key).allowed
    assert ApiKeyUse.objects.get().granted == 10  # a hundredth at a time: most requests write nothing


# --- Idempotency-Key --------------------------------------------------------------------------------------------------------


def test_the_same_request_again_gets_the_same_answer(service):
    token = a_key(service)
    first, again = (post(token, body(), **{"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Send.objects.count() == Message.objects.count() == 1


def asked(token, key: str = "k1") -> str:
    return post(token, body(), **{"Idempotency-Key": key}).json()["messageId"]


def test_a_key_and_its_successor_share_and_keys_of_another_name_do_not(service):
    one, successor, other = a_key(service), a_key(service), a_key(service, name="Other")
    assert asked(one) == asked(successor) != asked(other)


def test_a_test_key_of_the_name_begins_anew(service):
    assert asked(a_key(service)) != asked(a_key(service, is_test=True))


def test_a_key_of_the_name_that_sees_more_or_less_gets_no_answer_of_the_first_and_sends_nothing_twice(
    service,
):
    asked(a_key(service, scopes=["send", "texts"]))
    refused = post(a_key(service, scopes=["send", "numbers"]), body(), **{"Idempotency-Key": "k1"})
    assert refused.status_code == 422
    assert "other scopes" in refused.json()["message"]
    assert Send.objects.count() == 1


def test_a_key_made_later_goes_on_with_what_the_revoked_one_of_its_name_made(service):
    first = asked(a_key(service))
    api_keys.revoke(ApiKey.objects.get(), by=BY)
    assert asked(a_key(service)) == first


def test_a_successor_keeps_the_history_after_the_first_key_was_revoked(service):
    first = asked(a_key(service))
    successor = a_key(service)
    api_keys.revoke(ApiKey.objects.order_by("pk").first(), by=BY)
    assert asked(successor) == first == asked(a_key(service))


def test_another_body_under_a_used_key_is_422(service):
    token = a_key(service)
    post(token, body(), **{"Idempotency-Key": "k1"})
    answer = post(token, body("447700900002"), **{"Idempotency-Key": "k1"})
    assert answer.status_code == 422
    assert "new key" in answer.json()["message"]
    assert Send.objects.count() == 1


def test_a_refused_request_may_be_mended_under_its_key(service):
    token = a_key(service)
    assert post(token, body(to=[]), **{"Idempotency-Key": "k1"}).status_code == 400
    assert not IdempotentAnswer.objects.exists()
    assert post(token, body(), **{"Idempotency-Key": "k1"}).status_code == 201


@pytest.mark.parametrize("wrong", ["a b", "é", "x" * 256])
def test_a_key_that_is_none_is_refused(service, wrong):
    answer = post(a_key(service), body(), **{"Idempotency-Key": wrong})
    assert (answer.status_code, answer.json()["code"]) == (400, "7004")


def test_answers_are_kept_for_thirty_days(service):
    token = a_key(service)
    post(token, body(), **{"Idempotency-Key": "old"})
    post(token, body(), **{"Idempotency-Key": "new"})
    IdempotentAnswer.objects.filter(key="old").update(made_at=timezone.now() - timedelta(days=30, minutes=1))
    assert IdempotentAnswer.forget() == 1
    assert IdempotentAnswer.objects.get().key == "new"


def test_a_client_reference_is_used_once_and_for_ever(service):
    token = a_key(service)
    assert post(token, body(clientReference="order-7")).status_code == 201
    answer = post(token, body("447700900002", clientReference="order-7"))
    assert answer.status_code == 409
    assert f"send {Send.objects.get().pk}" in answer.json()["message"]


@pytest.mark.django_db(transaction=True)
def test_a_hundred_identical_requests_at_once_make_one_send():
    token, start, answers = a_key(a_partner_service()), threading.Barrier(10), []

    def ten() -> None:
        start.wait()
        try:
            answers.extend(post(token, body(), **{"Idempotency-Key": "k1"}) for _ in range(10))
        finally:
            connection.close()

    threads = [threading.Thread(target=ten) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 100
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert Send.objects.count() == Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_request_while_the_first_one_takes_long_is_409(service):
    token = a_key(service)
    post(token, body())  # so that the key's use and its share of the minute are written
    begun, over, owner = threading.Event(), threading.Event(), str(the_key().identity)

    def first() -> None:
        try:
            with transaction.atomic():
                IdempotentAnswer.claim(service.pk, owner=owner, key="k1", fingerprint="")
                begun.set()
                over.wait(60)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(60)
    sqlite = connection.vendor == "sqlite"
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 100" if sqlite else "SET lock_timeout = 100")
        answer = post(token, body(), **{"Idempotency-Key": "k1"})
    finally:
        over.set()
        thread.join()
        connection.close()  # its patience was ours
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (409, "7004", "1")
    assert Send.objects.count() == 1
