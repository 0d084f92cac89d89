"""From the outbox to a receiver: signed, until it is taken, never lost, and no receiver in another's way."""

import json
import threading
from datetime import timedelta
from uuid import UUID

import pytest
import standardwebhooks
from django.utils import timezone

from sms import callbacks
from sms.callbacks import leases
from sms.inbound import receipts
from sms.models import AuditEvent, Callback, CallbackEndpoint, Notice, Service
from sms.models.callback import new_secret
from sms.models.service import HAND_OVER
from sms.webex import signature
from tests.support.callback_receiver import Heard, receiving
from tests.support.callbacks import LOOPBACK, an_endpoint, comes_in, deliver, owe, waiting, with_notify
from tests.support.people import a_person
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_receipt_reaches_a_real_receiver_signed_in_both_ways():
    service = a_service()
    with receiving() as partner:
        message = with_notify(a_send(service), url=f"{partner.url}/notify?a=1&b=%20").messages.get()
        Provider().dispatch()
        comes_in(message)
        receipts.fold()
        assert deliver().delivered == 1
    (heard,) = partner.heard
    assert heard.path == "/notify?a=1&b=%20"
    assert heard.json["deliveryInfoNotification"]["correlationid"] == "theirs-0"
    secret = CallbackEndpoint.objects.get().secret
    assert standardwebhooks.Webhook(secret).verify(heard.body, heard.headers) == heard.json
    assert signature.verify(heard.body, heard.headers["x-hub-signature"], secrets=[secret])
    assert str(UUID(heard.headers["x-wx-gtrid"])) == heard.headers["x-wx-gtrid"]
    row = Callback.objects.get()
    assert (row.state, row.last_status, row.tries, row.event_id) == ("delivered", 200, 1, heard.id)
    assert deliver().tried == 0


def test_during_a_rotation_either_secret_verifies_and_afterwards_only_the_new_one():
    with receiving() as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        old = endpoint.secret
        new = callbacks.rotate(endpoint, by=BY)
        assert new != old and new.startswith("whsec_")
        owe(endpoint)
        deliver()
        for secret in (old, new):
            standardwebhooks.Webhook(secret).verify(partner.heard[0].body, partner.heard[0].headers)
        assert not {"x-hub-signature", "x-wx-gtrid"} & set(partner.heard[0].headers)
        later = timezone.now() + HAND_OVER + timedelta(seconds=1)
        owe(endpoint)
        deliver(later)
        assert len(partner.heard[1].headers["webhook-signature"].split()) == 1
        assert callbacks.retire(endpoint, by=BY)
        owe(endpoint)
        deliver()
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(old).verify(partner.heard[2].body, partner.heard[2].headers)
        standardwebhooks.Webhook(new).verify(partner.heard[2].body, partner.heard[2].headers)


def test_a_receiver_that_is_down_for_six_hours_loses_nothing():
    service, began = a_service(), timezone.now()
    with receiving(answer=503) as partner:
        endpoint = an_endpoint(service, partner.url)
        for minute in range(0, 360, 30):  # callbacks come all the time, and so do looks
            owe(endpoint, 5, at=began + timedelta(minutes=minute))
            for seconds in (0, 20, 400, 1000):
                deliver(began + timedelta(minutes=minute, seconds=seconds))
        assert waiting() == 60 and len(partner.heard) < 60  # the breaker spares it
        partner.answer, partner.heard = 200, []
        back = began + timedelta(hours=6, minutes=15)
        report = deliver(back)
    assert report.delivered == 60 and waiting() == 0
    assert len(set(partner.ids)) == 60 == len(partner.ids)
    assert Callback.objects.exclude(state="delivered").count() == 0


def test_a_slow_receiver_holds_up_no_other():
    services = [a_service(slug=f"shop-{number}") for number in range(4)]
    all_told, in_time = threading.Event(), []

    def answer_last(_: Heard):
        in_time.append(all_told.wait(60))
        return 200, {}, b""

    def answer(_: Heard):
        if len(quick.heard) >= 30:
            all_told.set()
        return 200, {}, b""

    with receiving(answer=answer_last) as slow, receiving(answer=answer) as quick:
        owe(an_endpoint(services[0], slow.url), 30)
        for service in services[1:]:
            owe(an_endpoint(service, quick.url), 10)
        deliver()
        assert len(quick.heard) == 30
        assert len(slow.heard) == 30
        assert all(in_time), "the others heard of theirs while it kept its first ones waiting"
        assert slow.most_at_once <= 4


def test_a_dripping_reply_ends_at_the_deadline_and_a_long_one_is_cut():
    def long(_: Heard):
        return 200, {}, b"x" * 3_000_000

    with receiving(answer=long) as partner:
        owe(an_endpoint(a_service(), partner.url))
        assert deliver().delivered == 1
    assert len(Callback.objects.get().log[0]["reply"]) == 1000
    Callback.objects.all().delete()
    with receiving(slow=3) as partner:
        endpoint = an_endpoint(Service.objects.get(), partner.url)
        owe(endpoint)
        deliver(deadline=0.5)
    row = Callback.objects.get()
    assert (row.state, row.last_status) == ("waiting", 0)
    assert "No whole answer" in row.last_error


def test_redirects_are_not_followed_and_410_switches_an_endpoint_off():
    service = a_service()
    with (
        receiving() as elsewhere,
        receiving(answer=lambda _: (307, {"Location": elsewhere.url}, b"")) as partner,
    ):
        owe(an_endpoint(service, partner.url))
        deliver()
        assert not elsewhere.heard
        assert "redirects are not followed" in Callback.objects.get().last_error
    Callback.objects.all().delete()
    with receiving(answer=410) as gone:
        endpoint = an_endpoint(service, gone.url)
        owe(endpoint, 2)
        deliver()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at and "410" in endpoint.disabled_because
    assert AuditEvent.objects.filter(act="callback_endpoint.disabled").count() == 1
    assert waiting() == 2 and callbacks.resume(endpoint, by=BY) and waiting() == 2


def test_retry_after_is_honoured_within_bounds():
    now = timezone.now()
    with receiving(answer=lambda _: (429, {"Retry-After": "900"}, b"")) as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        owe(endpoint, at=now)
        deliver(now)
        deliver(now + timedelta(seconds=800))
        assert len(partner.heard) == 1
        partner.answer = 200
        deliver(now + timedelta(seconds=1000))
        assert len(partner.heard) == 2 and waiting() == 0
        partner.answer = lambda _: (503, {"Retry-After": "99999999"}, b"")
        owe(endpoint, at=now)
        deliver(now)
    endpoint.refresh_from_db()
    assert endpoint.open_until <= now + timedelta(hours=6)


def test_after_three_days_it_is_given_up_and_after_five_of_them_the_endpoint_is_off_with_notice():
    began = timezone.now()
    service = a_service()
    admin = a_person("admin@example.test", service, "admin")
    with receiving(answer=500) as partner:
        endpoint = an_endpoint(service, partner.url)
        owe(endpoint, 7, at=began)
        deliver(began)
        for minutes in range(0, 200, 20):
            deliver(began + timedelta(hours=72, minutes=minutes))
        endpoint.refresh_from_db()
        assert endpoint.disabled_at
        told = Notice.objects.get()
        assert (told.person, told.page, told.page_id) == (admin, "callback_endpoint", endpoint.pk)
        assert Callback.objects.filter(state="given_up").count() == 5 and waiting() == 2
        partner.answer = 200
        deliver(began + timedelta(hours=80))
        assert waiting() == 2  # off is off
        callbacks.resume(endpoint, by=BY)
        assert callbacks.replay(endpoint, by=BY, failed_only=True) == 7
        ids = set(Callback.objects.values_list("event_id", flat=True))
        partner.heard = []
        deliver()
        assert set(partner.ids) == ids and len(partner.ids) == 7


def test_a_replay_of_one_or_of_a_range_keeps_the_ids():
    began = timezone.now() - timedelta(hours=3)
    with receiving() as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        old, new = owe(endpoint, at=began)[0], owe(endpoint, at=began + timedelta(hours=2))[0]
        deliver()
        assert callbacks.replay(endpoint, by=BY, only=new.pk) == 1
        deliver()
        first = {"since": began, "until": began + timedelta(hours=1)}
        assert callbacks.replay(endpoint, by=BY, **first) == 1
        deliver()
    assert partner.ids[2:] == [new.event_id, old.event_id]
    assert AuditEvent.objects.filter(act="callbacks.replayed").count() == 2
    row = Callback.objects.get(pk=old.pk)
    assert len(row.log) == 2


def test_a_paused_endpoint_gets_nothing_and_loses_nothing():
    with receiving() as partner:
        endpoint = an_endpoint(a_service(), partner.url)
        callbacks.pause(endpoint, by=BY)
        owe(endpoint, 3)
        assert deliver().tried == 0
        callbacks.resume(endpoint, by=BY)
        assert deliver().delivered == 3


def test_two_hosts_share_endpoints_and_a_dead_hosts_lease_runs_out():
    service, now = a_service(), timezone.now()
    first, second = an_endpoint(service), an_endpoint(service, "http://127.0.0.1:9/b")
    owe(first, at=now), owe(second, at=now)
    one, *_ = leases.claim("host-a", limit=1, now=now)
    other, *rest = leases.claim("host-b", limit=9, now=now)
    assert not rest and {one.pk, other.pk} == {first.pk, second.pk}
    assert leases.claim("host-c", limit=9, now=now) == []
    leases.keep([one], "host-a", now=now, lasting=timedelta(seconds=-1))
    assert [lease.pk for lease in leases.claim("host-c", limit=9, now=now)] == [one.pk]
    leases.keep([one], "host-a", now=now)
    assert one.closed  # whoever lost it begins nothing more


def test_ownership_is_proven_by_the_challenge_and_by_nothing_less():
    service = a_service()

    def endpoint_at(partner):
        CallbackEndpoint.objects.all().delete()
        return callbacks.add(service, name="Shop", url=partner.url, by=BY, policy=LOOPBACK)

    def verify(endpoint):
        line = callbacks.ReceiverConnection(LOOPBACK)
        try:
            return callbacks.verify(endpoint, by=BY, connection=line)
        finally:
            line.close()

    proofs = (
        lambda heard: (200, {}, heard.json["data"]["challenge"].encode()),
        lambda heard: (200, {}, json.dumps({"challenge": heard.json["data"]["challenge"]}).encode()),
    )
    for proof in proofs:
        with receiving(answer=proof) as partner:
            endpoint = endpoint_at(partner)
            assert verify(endpoint) == ""
            standardwebhooks.Webhook(endpoint.secret).verify(partner.heard[0].body, partner.heard[0].headers)
        assert CallbackEndpoint.objects.get().verified_at
    for answer in (
        200,
        500,
        lambda heard: (200, {}, heard.body),
        lambda heard: (200, {}, b'{"challenge": "x"}'),
    ):
        with receiving(answer=answer) as partner:
            endpoint = endpoint_at(partner)
            assert verify(endpoint)
            owe(endpoint)
            assert deliver().tried == 0
        assert CallbackEndpoint.objects.get().verified_at is None


def test_an_unreadable_secret_stops_its_endpoint_and_no_other():
    with receiving() as partner:
        service = a_service()
        broken, fine = (
            an_endpoint(service, f"{partner.url}/broken"),
            an_endpoint(service, f"{partner.url}/fine"),
        )
        owe(broken), owe(fine)
        table = CallbackEndpoint._meta.db_table
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET secret = 'gAAAA' WHERE id = %s", [broken.pk])
        deliver()
        assert [heard.path for heard in partner.heard] == ["/fine"]
        assert waiting() == 1


def test_old_callbacks_are_forgotten_piece_by_piece():
    endpoint = an_endpoint(a_service())
    owe(endpoint, 5, at=timezone.now() - timedelta(days=31))
    owe(endpoint, 1)
    assert [callbacks.forget(at_once=3) for _ in range(3)] == [3, 2, 0]
    assert Callback.objects.count() == 1


def test_secrets_are_as_standard_webhooks_wants_them():
    secret = new_secret()
    assert standardwebhooks.Webhook(secret)
    assert len(secret) == 50 and secret != new_secret()


def test_two_who_change_a_secret_at_once_both_know_one_that_is_signed_with():
    endpoint = an_endpoint(a_service())
    one, other = (CallbackEndpoint.objects.get(pk=endpoint.pk) for _ in range(2))  # as two requests read it
    first, second = callbacks.rotate(one, by=BY), callbacks.rotate(other, by=BY)
    kept = CallbackEndpoint.objects.get(pk=endpoint.pk)
    assert kept.secrets_at(timezone.now(), kept.secret_before_until) == (second, first)
    late = CallbackEndpoint.objects.get(pk=endpoint.pk)
    assert callbacks.retire(kept, by=BY) and not callbacks.retire(late, by=BY)
