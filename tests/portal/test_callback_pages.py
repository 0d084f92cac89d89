"""Set-up › Programs › Callbacks: add, prove, secrets shown once, pause, the log with bodies, and telling again."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sms.callbacks.record import disable
from sms.models import AuditEvent, Callback, CallbackEndpoint, Notice
from tests.support.callback_receiver import receiving
from tests.support.callbacks import an_endpoint
from tests.support.jobs import run_job
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db

URL = "/s/shop/callbacks/"


@pytest.fixture
def cast(monkeypatch):
    monkeypatch.setattr(settings, "CALLBACKS", {"loopback": True})
    return a_cast()


def a_row(endpoint, number: int = 1, **changes) -> Callback:
    now = timezone.now()
    fields = {
        "kind": "message.delivered",
        "body": '{"type": "message.delivered"}',
        "created_at": now,
        "next_at": now,
    }
    return Callback.objects.create(endpoint=endpoint, event_id=f"evt_{number}", **(fields | changes))


def done(**changes) -> dict:
    return {
        "state": "delivered",
        "next_at": None,
        "done_at": timezone.now(),
        "tries": 1,
        "last_status": 200,
    } | changes


def test_an_endpoint_is_added_proven_and_its_secret_shown_once(cast):
    admin = cast["admin"]
    with receiving(answer=lambda heard: (200, {}, heard.json["data"]["challenge"].encode())) as partner:
        answer = admin.post(
            f"{URL}add/", {"name": "Shop system", "url": partner.url, "events": ["message.failed"]}
        )
        endpoint = CallbackEndpoint.objects.get()
        assert endpoint.secret in answer.content.decode() and answer["Cache-Control"] == "no-store"
        page = admin.get(f"{URL}{endpoint.pk}/").content.decode()
        assert endpoint.secret not in page and "Send the challenge" in page
        assert "Verified." in admin.post(f"{URL}{endpoint.pk}/verify/", follow=True).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.verified_at and endpoint.events == ["message.failed"]
    acts = set(AuditEvent.objects.filter(noun="callback_endpoint").values_list("act", flat=True))
    assert acts == {"callback_endpoint.added", "callback_endpoint.verified"}


def test_a_receiver_that_does_not_know_the_challenge_is_not_verified(cast):
    with receiving() as partner:
        endpoint = an_endpoint(cast.service, partner.url, verified_at=None)
        page = cast["admin"].post(f"{URL}{endpoint.pk}/verify/", follow=True).content.decode()
    assert "Not verified." in page and "did not send the challenge back" in page
    endpoint.refresh_from_db()
    assert endpoint.verified_at is None


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "https://169.254.169.254/", "ftp://x.example", "nonsense", ""]
)
def test_a_bad_address_is_a_sentence_and_nothing_is_lost(cast, url):
    answer = cast["admin"].post(f"{URL}add/", {"name": "Kept name", "url": url})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Kept name" in page and "Please fix 1 thing" in page
    assert not CallbackEndpoint.objects.exists()


def test_a_new_secret_is_shown_once_and_the_previous_can_be_ended(cast):
    endpoint = an_endpoint(cast.service)
    old = endpoint.secret
    page = cast["admin"].post(f"{URL}{endpoint.pk}/rotate/").content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secret in page and endpoint.secret_before == old and old not in page
    assert "End the previous now" in page
    cast["admin"].post(f"{URL}{endpoint.pk}/retire/")
    endpoint.refresh_from_db()
    assert endpoint.secret_before == ""
    wrong = cast["admin"].post(f"{URL}{endpoint.pk}/rotate/", {"secret": "too-short"})
    assert wrong.status_code == 422 and "Write whsec_ and the base64" in wrong.content.decode()
    host = an_endpoint(cast.service, "https://shop.example", kind="notify")
    cast["admin"].post(f"{URL}{host.pk}/rotate/", {"secret": "the-one-they-check-with"})
    host.refresh_from_db()
    assert (host.secret, CallbackEndpoint.objects.get(pk=endpoint.pk).secret) == (
        "the-one-they-check-with",
        endpoint.secret,
    )


def test_pause_resume_change_and_remove(cast):
    endpoint = an_endpoint(cast.service)
    admin = cast["admin"]
    admin.post(f"{URL}{endpoint.pk}/pause/")
    assert "Switch on again" in admin.get(f"{URL}{endpoint.pk}/").content.decode()
    admin.post(f"{URL}{endpoint.pk}/resume/")
    admin.post(
        f"{URL}{endpoint.pk}/change/", {"name": "Other", "events": ["message.clicked"], "full_numbers": "on"}
    )
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.paused_at, endpoint.events, endpoint.full_numbers) == (
        "Other",
        None,
        ["message.clicked"],
        True,
    )
    assert "Remove Other?" in admin.get(f"{URL}{endpoint.pk}/remove/").content.decode()
    assert CallbackEndpoint.objects.exists()
    admin.post(f"{URL}{endpoint.pk}/remove/")
    assert not CallbackEndpoint.objects.exists()


def test_the_log_filters_and_shows_bodies_and_answers(cast):
    endpoint = an_endpoint(cast.service)
    entry = {
        "at": "2026-03-02T09:00:00.000+00:00",
        "status": 500,
        "ms": 12,
        "error": "It answered 500.",
        "reply": "<b>oops</b>",
    }
    bad = a_row(endpoint, 1, log=[entry], last_status=500, tries=1)
    good = a_row(endpoint, 2, kind="message.clicked", **done())
    admin = cast["admin"]
    page = admin.get(f"{URL}{endpoint.pk}/?state=delivered").content.decode()
    assert f"/callback-log/{good.pk}/" in page and f"/callback-log/{bad.pk}/" not in page
    page = admin.get(f"{URL}{endpoint.pk}/?kind=message.delivered").content.decode()
    assert f"/callback-log/{bad.pk}/" in page and f"/callback-log/{good.pk}/" not in page
    page = admin.get(f"/s/shop/callback-log/{bad.pk}/").content.decode()
    assert "message.delivered" in page and "&lt;b&gt;oops" in page and "12 ms" in page


def test_one_or_a_range_is_delivered_again(cast):
    endpoint = an_endpoint(cast.service)
    noon = timezone.now().replace(microsecond=0)
    early = a_row(endpoint, 1, **done(created_at=noon - timedelta(hours=5)))
    late = a_row(endpoint, 2, **done(created_at=noon))
    admin = cast["admin"]
    admin.post(f"/s/shop/callback-log/{early.pk}/again/")
    assert set(Callback.objects.filter(state="waiting").values_list("pk", flat=True)) == {early.pk}
    span = {
        "since": (noon - timedelta(hours=1)).isoformat(),
        "until": (noon + timedelta(hours=1)).isoformat(),
    }
    page = admin.post(f"{URL}{endpoint.pk}/replay/", span, follow=True).content.decode()
    assert "1 callback will be delivered again" in page
    late.refresh_from_db()
    assert late.state == "waiting"
    assert (
        admin.post(
            f"{URL}{endpoint.pk}/replay/", {"since": span["until"], "until": span["since"]}
        ).status_code
        == 422
    )


def test_queries_do_not_grow_with_endpoints_or_log(cast):
    counts = []
    for start in (0, 30):
        for number in range(start, start + (2 if not start else 30)):
            a_row(an_endpoint(cast.service, f"https://p{number}.example.com/"), number)
        for page in (URL, f"{URL}{CallbackEndpoint.objects.earliest('pk').pk}/"):
            with CaptureQueriesContext(connection) as queries:
                assert cast["admin"].get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:] and max(counts) <= 13


def test_a_switched_off_endpoint_is_said_on_the_page_at_home_and_by_mail(cast):
    endpoint = an_endpoint(
        cast.service, disabled_at=timezone.now(), disabled_because="The receiver answered 410: it is gone."
    )
    home = cast["admin"].get("/s/shop/").content.decode()
    assert "Callbacks to Shop system were switched off" in home and "answered 410" in home
    assert f'href="{URL}{endpoint.pk}/"' in home
    assert "switched off" not in cast["composer"].get("/s/shop/").content.decode()
    assert "was switched off" in " ".join(cast["admin"].get(URL).content.decode().split())
    disable(endpoint, because=endpoint.disabled_because, now=timezone.now())
    run_job("notice mails")
    (sent,) = mail.outbox
    assert "410" in sent.body and endpoint.secret not in sent.body and sent.to == ["admin@example.test"]
    opened = cast["admin"].get(f"/notices/{Notice.objects.get().pk}/")
    assert opened.headers["Location"] == f"{URL}{endpoint.pk}/"


def test_the_page_of_keys_leads_here_and_only_admins_come_in(cast):
    assert URL in cast["admin"].get("/s/shop/api-keys/").content.decode()
    assert cast["composer"].get(URL).status_code == 403
