"""Posts whose signature or address is wrong: nothing is lost by a mistake with a secret, and nobody can fill the disk."""

import json
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.utils import timezone

from sms.compliance.retention import other_rows
from sms.inbound import receipts, refused
from sms.inbound.receipts import receipt_addresses, rotate
from sms.inbound.refused import keeping
from sms.models import (
    Actor,
    AuditEvent,
    InboundMessage,
    Message,
    OptOut,
    PostTally,
    Receipt,
    RefusedPost,
    Service,
)
from sms.values import correlation_id
from sms.webex import signature
from tests.support.jobs import run_job
from tests.support.receipts import posted_message, receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
BY = Actor.system("test")
SECRET = "hub-secret-one"
PATHS = {"receipt": "receipts", "inbound": "inbound"}


def body_of(kind: str, number: object = 1) -> bytes:
    if kind == "receipt":
        return receipt(f"of-nothing-{number}")
    return json.dumps({"oa": "447710000000", "da": "SHOP", "message": "STOP", "tid": str(number)}).encode()


def post(kind: str, token: str, raw: bytes, secret: str = "", **headers) -> int:
    """The status of the answer; what the setting of a service changed in the meantime is known."""
    receipt_addresses.forget()
    if secret:
        headers["x-hub-signature"] = signature.sign(raw, secret=secret)
    answer = Client().post(
        f"/{PATHS[kind]}/{token}/", data=raw, content_type="application/json", headers=headers
    )
    assert answer.content == b""
    return answer.status_code


def stored(kind: str) -> int:
    return (Receipt if kind == "receipt" else InboundMessage).objects.count()


def tally(kind: str, came_to: str) -> PostTally:
    return PostTally.objects.get(kind=kind, came_to=came_to)


def take_in(service, kind: str):
    return refused.take_in(Service.objects.get(pk=service.pk), kind=kind, by=BY)


@pytest.fixture(params=PATHS)
def kind(request) -> str:
    return request.param


def test_the_address_in_messages_asks_for_no_signature(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, "proof"), SECRET) == 200
    assert post(kind, service.receipt_token, body_of(kind)) == 200
    assert post(kind, service.receipt_token, body_of(kind, 2), "another secret") == 200
    assert stored(kind) == 3
    assert not RefusedPost.objects.exists()


def test_a_secret_that_never_fitted_refuses_nothing_and_says_what_it_would(kind):
    service = a_service(receipt_secret="mistyped")
    for number in range(5):
        assert post(kind, service.webhook_token, body_of(kind, number), SECRET) == 200
    assert stored(kind) == 5
    (check,) = [one for one in refused.checks_of(service) if one.kind == kind]
    assert (check.would_refuse, check.proved_at) == (5, None)


def test_from_the_first_good_signature_on_others_are_refused_and_kept(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, "unsigned")) == 200
    assert post(kind, service.webhook_token, body_of(kind, "signed"), SECRET) == 200
    assert tally(kind, "webhook").proved_at is not None
    assert AuditEvent.objects.filter(act="service.signature_proved").count() == 1
    assert post(kind, service.webhook_token, body_of(kind)) == 401
    assert post(kind, service.webhook_token, body_of(kind), "another secret") == 401
    assert stored(kind) == 2
    one = RefusedPost.objects.get()  # the same body twice
    assert (bytes(one.raw), one.service_id, one.came_to) == (body_of(kind), service.pk, "webhook")
    assert tally(kind, "webhook").refused == 2


def test_a_changed_or_removed_secret_counts_at_once(kind):
    """Without `forget`: each process remembers an address for some seconds."""
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, "proof"), SECRET) == 200
    address = f"/{PATHS[kind]}/{service.webhook_token}/"

    def arrives(number: int, secret: str = "") -> int:
        raw = body_of(kind, number)
        headers = {"x-hub-signature": signature.sign(raw, secret=secret)} if secret else {}
        return Client().post(address, raw, content_type="application/json", headers=headers).status_code

    assert arrives(1, SECRET) == 200 and arrives(2) == 401
    service.receipt_secret = "hub-secret-two"
    service.save()
    assert arrives(3, "hub-secret-two") == 200
    service.receipt_secret = ""
    service.save()
    assert arrives(4) == 200


def test_receipts_prove_nothing_for_incoming_sms():
    service = a_service(receipt_secret=SECRET)
    assert post("receipt", service.webhook_token, body_of("receipt"), SECRET) == 200
    assert post("inbound", service.webhook_token, body_of("inbound")) == 200, "another webhook, unsigned"
    assert OptOut.objects.exists()


def test_a_new_secret_begins_anew_and_the_previous_one_still_counts(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, 1), SECRET) == 200
    Service.objects.update(receipt_secret="", receipt_secret_before="")
    changed = Service.objects.get()
    changed.receipt_secret, changed.receipt_secret_before = "second", SECRET
    changed.save()
    for number, secret in ((2, SECRET), (3, ""), (4, "second"), (5, SECRET)):
        assert post(kind, service.webhook_token, body_of(kind, number), secret) == 200, number
    assert post(kind, service.webhook_token, body_of(kind, 6)) == 401
    assert (stored(kind), tally(kind, "webhook").would_refuse) == (5, 1)


def test_another_algorithm_begins_anew(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, 1), SECRET) == 200
    Service.objects.update(receipt_algorithm="sha512")
    assert post(kind, service.webhook_token, body_of(kind, 2), SECRET) == 200, "signed with SHA-256 still"


def test_the_address_in_messages_is_signed_where_the_service_says_so():
    service = a_service(receipt_secret=SECRET, notify_url_signed=True)
    assert post("receipt", service.receipt_token, body_of("receipt", 1)) == 200
    assert post("receipt", service.receipt_token, body_of("receipt", 2), SECRET) == 200
    assert post("receipt", service.receipt_token, body_of("receipt", 3)) == 401
    Service.objects.update(notify_url_signed=False)
    assert post("receipt", service.receipt_token, body_of("receipt", 4)) == 200


def test_no_receipt_is_lost_by_a_secret_set_wrongly_then_removed_then_taken_in():
    """The whole story: wrong for an hour, put right, changed at the provider only, removed, and what was refused is taken in."""
    service, sent = a_service(), []

    def posts(secret: str, *, expected: int, count: int = 3) -> None:
        for _ in range(count):
            message, reference = posted_message(service)
            sent.append(message.pk)
            for code, status in (("7501", "Submitted"), ("7500", "Delivered")):
                raw = receipt(reference, code=code, status=status)
                assert post("receipt", service.webhook_token, raw, secret) == expected

    def set_secret(secret: str) -> None:
        row = Service.objects.get()
        row.receipt_secret, row.receipt_secret_before = secret, ""
        row.save()

    posts("", expected=200)
    set_secret("mistyped")
    posts("", expected=200)  # the provider signs nothing yet
    posts(SECRET, expected=200)
    set_secret(SECRET)
    posts(SECRET, expected=200)
    posts("changed at the provider", expected=401)
    posts("", expected=401)
    set_secret("")
    posts("", expected=200)
    taken = take_in(service, "receipt")
    assert (taken.posts, taken.new, taken.left) == (12, 12, 0)
    assert take_in(service, "receipt").posts == 0
    while receipts.fold():
        pass
    assert len(sent) == 21
    assert set(Message.objects.filter(pk__in=sent).values_list("state", flat=True)) == {"delivered"}
    assert Receipt.objects.count() == 2 * len(sent)


def test_no_stop_is_lost_and_the_last_word_of_a_person_stays_the_last():
    service = a_service(receipt_secret=SECRET)
    assert (
        post("inbound", service.webhook_token, body_of("inbound", "proof").replace(b"STOP", b"Hello"), SECRET)
        == 200
    )
    assert post("inbound", service.webhook_token, body_of("inbound", 1)) == 401
    other = body_of("inbound", 2).replace(b"447710000000", b"447710000001")
    assert post("inbound", service.webhook_token, other) == 401
    back = body_of("inbound", 3).replace(b"STOP", b"START")
    assert post("inbound", service.webhook_token, back, SECRET) == 200
    assert not OptOut.objects.exists()
    taken = take_in(service, "inbound")
    assert (taken.posts, taken.new) == (2, 2)
    assert list(OptOut.objects.filter(lifted_at=None).values_list("msisdn", flat=True)) == ["+447710000001"]


def test_a_strangers_stop_is_not_taken_in_with_genuine_ones():
    service = a_service(receipt_secret=SECRET)
    hello = body_of("inbound", "proof").replace(b"STOP", b"Hello")
    assert post("inbound", service.webhook_token, hello, SECRET) == 200
    assert post("inbound", service.webhook_token, body_of("inbound", 1)) == 401
    forged = body_of("inbound", 2).replace(b"447710000000", b"447710000001")
    assert post("inbound", "anything", forged) == 404
    assert post("inbound", "anything", body_of("inbound", 1)) == 404, (
        "a copy takes nothing from the genuine one"
    )
    assert take_in(service, "inbound").posts == 1
    assert list(OptOut.objects.values_list("msisdn", flat=True)) == ["+447710000000"]
    service.refresh_from_db()
    taken = refused.take_in(service, kind="inbound", by=BY, came_to="unknown")
    assert (taken.posts, OptOut.objects.count()) == (2, 2), "a person can, by name"


def test_what_came_in_another_way_meanwhile_is_not_taken_in_twice(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, "proof"), SECRET) == 200
    assert post(kind, service.webhook_token, body_of(kind)) == 401
    assert post(kind, service.webhook_token, body_of(kind), SECRET) == 200  # the provider's second attempt
    taken = take_in(service, kind)
    assert (taken.posts, taken.new, stored(kind)) == (1, 0, 2)


def test_what_comes_to_an_address_that_has_ended_is_kept_for_its_service(kind):
    service = a_service()
    a_service(slug="other", name="Other")
    ended = [service.receipt_token, service.webhook_token]
    for came_to in ("notify_url", "webhook"):
        rotate.rotate(service, by=BY, came_to=came_to)
    assert [post(kind, token, body_of(kind, f"a{token}")) for token in ended] == [200, 200]
    now = timezone.now()
    Service.objects.filter(pk=service.pk).update(receipt_token_until=now)
    assert post(kind, ended[0], body_of(kind, 1)) == 404, "its week is over"
    rotate.retire(service, by=BY)
    assert post(kind, ended[1], body_of(kind, 2)) == 404
    for _ in range(3):  # it is known however often the address changes
        rotate.rotate(service, by=BY)
        rotate.retire(service, by=BY)
    assert post(kind, ended[0], body_of(kind, 3)) == 404
    assert set(RefusedPost.objects.values_list("service__slug", "came_to")) == {("shop", "retired")}
    assert take_in(service, kind).new == 3
    assert stored(kind) == 5


def test_a_receipt_at_an_unknown_address_is_kept_for_the_service_that_posted_its_message():
    service = a_service()
    a_service(slug="other", name="Other")
    message, reference = posted_message(service)
    assert post("receipt", service.webhook_token[:-1], receipt(reference)) == 404
    assert RefusedPost.objects.get().service == service
    take_in(service, "receipt")
    receipts.fold()
    assert Message.objects.get(pk=message.pk).state == "delivered"
    forged = correlation_id.write(message_id=message.pk, attempt=1, key="guessed")
    assert post("receipt", "unknown", receipt(forged)) == 404
    assert RefusedPost.objects.get().service is None


def test_an_sms_at_an_unknown_address_is_kept_for_the_only_service_with_that_number():
    service = a_service()
    service.senders.filter(address="SHOP").exists() or service.senders.create(
        address="SHOP", kind="alphanumeric"
    )
    assert post("inbound", "unknown", body_of("inbound")) == 404
    assert RefusedPost.objects.get().service == service
    assert post("inbound", "unknown", body_of("inbound").replace(b"SHOP", b"99999")) == 404
    assert RefusedPost.objects.last().service is None


def test_strangers_fill_neither_disk_nor_table_and_take_no_room_from_services(kind, monkeypatch):
    monkeypatch.setattr(keeping, "OF_ANYBODY", keeping.Bound(posts=3, size=100_000))
    service = a_service(receipt_secret=SECRET)
    for number in range(6):
        assert post(kind, f"guess-{number}", body_of(kind, number).replace(b"SHOP", b"NONE")) == 404
    found = tally(kind, "unknown")
    assert (RefusedPost.objects.count(), found.refused, found.not_kept) == (3, 6, 3)
    keeping.room.forget()  # as another process, or this one after some seconds
    assert post(kind, "guess", body_of(kind, "x").replace(b"SHOP", b"NONE")) == 404
    assert RefusedPost.objects.count() == 3
    assert post(kind, service.webhook_token, body_of(kind, "proof"), SECRET) == 200
    assert post(kind, service.webhook_token, body_of(kind, "forged")) == 401
    assert RefusedPost.objects.filter(service=service).count() == 1


def test_the_bytes_of_a_service_have_a_bound_too(kind, monkeypatch):
    raw = body_of(kind, 1)
    monkeypatch.setattr(keeping, "OF_A_SERVICE", keeping.Bound(posts=100, size=2 * len(raw)))
    service = a_service(receipt_secret=SECRET)
    post(kind, service.webhook_token, body_of(kind, "proof"), SECRET)
    for number in range(4):
        assert post(kind, service.webhook_token, body_of(kind, number)) == 401
    assert (RefusedPost.objects.count(), tally(kind, "webhook").not_kept) == (2, 2)


def test_they_are_kept_for_thirty_days():
    service = a_service(receipt_secret=SECRET)
    post("receipt", service.webhook_token, body_of("receipt", "proof"), SECRET)
    for number in range(2):
        post("receipt", service.webhook_token, body_of("receipt", number))
    first = RefusedPost.objects.earliest("pk")
    RefusedPost.objects.filter(pk=first.pk).update(received_at=timezone.now() - timedelta(days=30, minutes=1))
    run_job("old refused posts")
    assert RefusedPost.objects.count() == 1
    assert not RefusedPost.objects.filter(pk=first.pk).exists()


def test_the_days_of_a_service_count_where_they_are_fewer():
    service = a_service(receipt_secret=SECRET, keep_receipts=7)
    post("receipt", service.webhook_token, body_of("receipt", "proof"), SECRET)
    for number in range(2):
        post("receipt", service.webhook_token, body_of("receipt", number))
    first = RefusedPost.objects.earliest("pk")
    RefusedPost.objects.filter(pk=first.pk).update(received_at=timezone.now() - timedelta(days=7, minutes=1))
    assert other_rows.forecast(service, now=timezone.now())["refused"] == 1
    assert ("refused", 1) in list(other_rows.work(service, now=timezone.now()))
    assert RefusedPost.objects.count() == 1


def test_secrets_that_cannot_be_opened_stop_no_receipt_by_notify_url():
    """As after FIELD_KEYS were changed by mistake: only what an address needs is read."""
    service = a_service(receipt_secret=SECRET)
    spoilt = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sms_service SET api_key = %s, receipt_secret = %s", [spoilt, spoilt])
    assert post("receipt", service.receipt_token, body_of("receipt")) == 200
    assert post("receipt", service.webhook_token, body_of("receipt")) == 503


def test_what_can_be_refused_but_not_kept_is_to_be_sent_again(kind):
    service = a_service(receipt_secret=SECRET)
    assert post(kind, service.webhook_token, body_of(kind, "proof"), SECRET) == 200
    raw = body_of(kind)

    def away(run, sql, params, many, context):
        if "refusedpost" in sql:
            raise OperationalError("the server closed the connection")
        return run(sql, params, many, context)

    with connection.execute_wrapper(away):
        assert post(kind, service.webhook_token, raw) == 503
    assert post(kind, service.webhook_token, raw) == 401


def test_what_could_not_be_counted_is_counted_with_the_next(kind):
    service = a_service(receipt_secret="mistyped")

    def away(run, sql, params, many, context):
        if "posttally" in sql and sql.startswith("UPDATE"):
            raise DatabaseError("not now")
        return run(sql, params, many, context)

    with connection.execute_wrapper(away):
        assert post(kind, service.webhook_token, body_of(kind, 1)) == 200
    assert post(kind, service.webhook_token, body_of(kind, 2)) == 200
    assert tally(kind, "webhook").would_refuse == 2
