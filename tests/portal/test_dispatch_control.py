"""Pause, resume, stop and settle through the pages: each act does what it says, leaves its audit row, and mends bad input at its field."""

from datetime import timedelta

import httpx
import pytest
from django.utils import timezone

from sms.dispatch import Settlement, isolation
from sms.models import AuditEvent, Draft, Hold, Lane, Resend, Send, Service, ShortLinkDomain, Slice
from sms.sends import holds
from tests.support.people import Cast, a_cast
from tests.support.provider import Provider
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return a_cast()


def text_of(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response
    return " ".join(response.content.decode().split())


def said(response) -> str:
    """The sentence that greets one on the next page."""
    return " ".join(str(message) for message in response.context["messages"])


def last(act: str) -> AuditEvent:
    return AuditEvent.objects.filter(act=act).latest("id")


def broken(service: Service, count: int = 3, **changes) -> Send:
    """A send whose posts all broke: we do not know whether they were sent."""

    def breaks(body: dict) -> httpx.Response:
        raise httpx.ReadError("broken")

    send = a_send(service, count, **changes)
    Provider(answer=breaks).dispatch()
    assert send.counts() == {"unconfirmed": count}
    send.refresh_from_db()
    return send


# --- one send -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["composer", "approver", "admin"])
def test_a_paused_send_posts_nothing_and_goes_on_where_it_stopped(cast, role):
    send, provider = a_send(cast.service, 3), Provider()
    page = cast[role].post(f"/s/shop/sends/{send.pk}/pause/", follow=True)
    assert "Paused." in said(page)
    provider.dispatch()
    assert provider.bodies == []
    assert last("send.paused").actor_label == f"{role}@example.test"
    shown = text_of(cast[role], f"/s/shop/sends/{send.pk}/")
    assert f"Paused by {role}@example.test" in shown
    assert "Resuming posts the remaining 3 messages at the service" in shown
    assert "this rule will not" not in shown
    cast[role].post(f"/s/shop/sends/{send.pk}/resume/")
    provider.dispatch()
    assert len(provider.bodies) == 3
    assert last("send.resumed").noun_key == str(send.pk)


def test_a_send_held_by_a_rule_says_which_one_what_has_gone_and_what_resuming_does(cast):
    send = a_send(cast.service, 4)
    isolation.hold(send, "failures", because="61 % have failed.", facts={})
    for part in ("", "progress/"):
        shown = text_of(cast["composer"], f"/s/shop/sends/{send.pk}/{part}")
        assert "too many failures" in shown
        assert "61 % have failed." in shown
        assert "0 posted. 4 left." in shown
        assert "this rule will not stop this send again" in shown
        assert "Cancel what is still waiting" in shown
    assert "On hold" in text_of(cast["composer"], "/s/shop/sends/")
    assert "On hold" in text_of(cast["composer"], "/s/shop/")


def test_the_auditor_sees_the_banner_and_no_buttons(cast):
    send = a_send(cast.service)
    holds.hold(send, by=BY, because="Wrong text.")
    shown = text_of(cast["auditor"], f"/s/shop/sends/{send.pk}/")
    assert "Paused by ada@example.test" in shown
    assert "/resume/" not in shown
    assert "/cancel/" not in shown


def test_pausing_what_is_finished_and_resuming_what_runs_say_so_and_change_nothing(cast):
    send = a_send(cast.service)
    assert "not paused any more" in said(cast["admin"].post(f"/s/shop/sends/{send.pk}/resume/", follow=True))
    Provider().dispatch()
    assert "Nothing is left" in said(cast["admin"].post(f"/s/shop/sends/{send.pk}/pause/", follow=True))
    assert not Hold.objects.exists()


def test_resuming_a_send_whose_sender_is_paused_says_that_it_still_waits(cast):
    send = a_send(cast.service)
    holds.hold(send, by=BY, because="Mine.")
    holds.hold(send.sender, by=BY, because="Number is moving.")
    shown = text_of(cast["composer"], f"/s/shop/sends/{send.pk}/")
    assert "sender SHOP is paused" in shown
    assert "Number is moving." in shown
    page = cast["composer"].post(f"/s/shop/sends/{send.pk}/resume/", follow=True)
    assert "still waits, because of a pause on sender SHOP" in said(page)
    assert Hold.objects.active().count() == 1


def test_a_ramp_shows_its_stage_and_a_night_how_many_wait(cast):
    Service.objects.filter(pk=cast.service.pk).update(quiet_hours="21:00-08:00")
    cast.service.refresh_from_db()
    send = a_send(cast.service, 200, ramp=True, lane=Lane.BULK)
    shown = text_of(cast["composer"], f"/s/shop/sends/{send.pk}/")
    assert "Stage 1 of 3: 1 %, 2 of 200 messages let go." in shown
    assert "Bulk: large sends that can wait" in shown
    assert "for the morning" not in shown
    morning = timezone.now() + timedelta(hours=6)
    Slice.objects.filter(send=send, stage=0).update(due_at=morning)
    shown = text_of(cast["composer"], f"/s/shop/sends/{send.pk}/progress/")
    assert "up to 2 messages wait for the morning" in shown
    assert f"{timezone.localtime(morning):%H:%M}" in shown


# --- not confirmed ------------------------------------------------------------------------------------------------------


def test_the_panel_explains_and_only_admins_may_decide(cast):
    send = broken(cast.service)
    for who, url in (
        ("admin", f"/s/shop/sends/{send.pk}/"),
        ("admin", f"/s/shop/messages/{send.messages.first().pk}/"),
    ):
        shown = text_of(cast[who], url)
        assert "The connection broke while" in shown
        assert "policy: never send again automatically." in shown
        assert shown.count("?verdict=") == 3, url
    shown = text_of(cast["composer"], f"/s/shop/sends/{send.pk}/")
    assert "3 messages not confirmed" in shown
    assert "?verdict=" not in shown
    assert cast["composer"].post(f"/s/shop/sends/{send.pk}/settle/?verdict=give_up").status_code == 403
    assert send.counts() == {"unconfirmed": 3}


def test_sending_again_asks_for_a_reason_warns_and_posts_each_once_more(cast):
    send, provider = broken(cast.service), Provider()
    url = f"/s/shop/sends/{send.pk}/settle/?verdict=send_again"
    asked = text_of(cast["admin"], url)
    assert "arrives twice" in asked
    assert send.counts() == {"unconfirmed": 3}, "asking changes nothing"
    refused = cast["admin"].post(url, {"reason": " "})
    assert refused.status_code == 422
    assert "reason" in refused.context["form"].errors
    assert send.counts() == {"unconfirmed": 3}
    page = cast["admin"].post(url, {"reason": "The provider says it never saw them."}, follow=True)
    assert said(page) == "3 messages will be sent again."
    provider.dispatch()
    assert len(provider.bodies) == 3
    assert send.counts() == {"queued": 3}
    event = last("messages.send_again")
    assert (event.details["messages"], event.details["reason"]) == (3, "The provider says it never saw them.")
    shown = text_of(cast["auditor"], f"/s/shop/sends/{send.pk}/")
    assert "The provider says it never saw them." in shown


@pytest.mark.parametrize(
    ("verdict", "state", "words"),
    [(Settlement.TREAT_AS_SENT, "queued", "count as accepted"), (Settlement.GIVE_UP, "failed", "given up")],
)
def test_the_other_two_need_no_reason_and_send_nothing(cast, verdict, state, words):
    send, provider = broken(cast.service), Provider()
    page = cast["admin"].post(f"/s/shop/sends/{send.pk}/settle/?verdict={verdict}", {}, follow=True)
    assert words in said(page)
    provider.dispatch()
    assert provider.bodies == []
    assert send.counts() == {state: 3}


def test_one_message_is_settled_alone(cast):
    send = broken(cast.service)
    message = send.messages.first()
    page = cast["admin"].post(f"/s/shop/messages/{message.pk}/settle/?verdict=give_up", {}, follow=True)
    assert page.redirect_chain[-1][0] == f"/s/shop/messages/{message.pk}/"
    assert send.counts() == {"unconfirmed": 2, "failed": 1}
    shown = text_of(cast["admin"], f"/s/shop/messages/{message.pk}/")
    assert "a person gave it up" in shown
    assert "Given up by admin@example.test." in shown
    assert "Refused" not in shown
    other = send.messages.last()
    cast["admin"].post(f"/s/shop/messages/{other.pk}/settle/?verdict=treat_as_sent", {})
    assert "Counted as accepted" in text_of(cast["admin"], f"/s/shop/messages/{other.pk}/")
    again = cast["admin"].post(f"/s/shop/messages/{message.pk}/settle/?verdict=give_up", {}, follow=True)
    assert "receipts came in" in said(again)


@pytest.mark.parametrize("query", ["", "?verdict=burn", "?verdict="])
def test_no_verdict_or_an_unknown_one_decides_nothing(cast, query):
    send = broken(cast.service)
    page = cast["admin"].post(f"/s/shop/sends/{send.pk}/settle/{query}", {"reason": "x"}, follow=True)
    assert "Choose" in said(page)
    assert send.counts() == {"unconfirmed": 3}


def test_what_was_cancelled_or_has_expired_is_not_offered_to_be_sent_again(cast):
    send = broken(cast.service)
    Send.objects.filter(pk=send.pk).update(expires_at=timezone.now() - timedelta(minutes=1))
    shown = text_of(cast["admin"], f"/s/shop/sends/{send.pk}/")
    assert "verdict=send_again" not in shown
    assert "verdict=give_up" in shown
    url = f"/s/shop/sends/{send.pk}/settle/?verdict=send_again"
    assert "cancelled or has expired" in said(cast["admin"].post(url, {"reason": "x"}, follow=True))
    assert send.counts() == {"unconfirmed": 3}


# --- sender, domain, service --------------------------------------------------------------------------------------------


def parts(service: Service) -> dict[str, tuple[str, str]]:
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    return {
        "sender": (f"/s/shop/senders/{service.senders.get().pk}", "SHOP"),
        "domain": (f"/s/shop/domains/{domain.pk}", "go.example.test"),
    }


@pytest.mark.parametrize("part", ["sender", "domain"])
def test_a_paused_part_keeps_its_sends_back_and_the_catalogue_says_who_and_why(cast, part):
    base, name = parts(cast.service)[part]
    send = a_send(cast.service, 2, link_domain=ShortLinkDomain.objects.get())
    asked = text_of(cast["admin"], f"{base}/pause/")
    assert "2 messages of 1 send are not posted yet." in asked
    refused = cast["admin"].post(f"{base}/pause/", {"reason": ""})
    assert (refused.status_code, Hold.objects.count()) == (422, 0)
    assert cast["admin"].post(f"{base}/pause/", {"reason": "Being moved"}).url == "/s/shop/catalogue/"
    provider = Provider()
    provider.dispatch()
    assert provider.bodies == []
    shown = text_of(cast["composer"], "/s/shop/catalogue/")
    assert "by admin@example.test" in shown
    assert "Being moved" in shown
    assert f"{base}/resume/" not in shown, "resuming is for admins"
    assert "Being moved" in text_of(cast["composer"], f"/s/shop/sends/{send.pk}/")
    assert last(f"{part}.paused").details["because"] == "Being moved"
    page = cast["admin"].post(f"{base}/resume/", follow=True)
    assert name in said(page)
    provider.dispatch()
    assert len(provider.bodies) == 2


@pytest.mark.parametrize("part", ["sender", "domain"])
def test_stopping_a_part_says_how_much_and_cancels_only_its_own(cast, part):
    base, name = parts(cast.service)[part]
    mine = a_send(cast.service, 2, link_domain=ShortLinkDomain.objects.get())
    other_sender = cast.service.senders.create(address="OTHER", kind="alphanumeric")
    other = a_send(cast.service, 1, sender=other_sender)
    asked = text_of(cast["admin"], f"{base}/stop/")
    assert "2 messages of 1 send are not posted yet." in asked
    assert name in asked
    assert mine.counts() == {"pending": 2}, "asking stops nothing"
    page = cast["admin"].post(f"{base}/stop/", follow=True)
    assert said(page) == "Cancelled: 2 messages will not be sent."
    assert (mine.counts(), other.counts()) == ({"cancelled": 2}, {"pending": 1})
    assert last(f"{part}.stopped").details["stopped"] == 2
    assert "Nothing was left" in said(cast["admin"].post(f"{base}/stop/", follow=True))


def test_a_whole_service_is_paused_with_a_reason_resumed_and_stopped(cast):
    send, provider, admin = a_send(cast.service, 2), Provider(), cast["admin"]
    foreign = a_send(cast.other, 1)
    assert admin.post("/s/shop/settings/pause/", {}).status_code == 422
    page = admin.post("/s/shop/settings/pause/", {"reason": "Wrong price list"}, follow=True)
    assert "Wrong price list. Paused by admin@example.test." in page.content.decode()
    assert "Wrong price list" in text_of(cast["composer"], f"/s/shop/sends/{send.pk}/")
    assert "already" in said(admin.post("/s/shop/settings/pause/", {"reason": "Again"}, follow=True))
    admin.post("/s/shop/settings/resume/")
    cast.service.refresh_from_db()
    assert cast.service.paused_at is None
    assert "not paused any more" in said(admin.post("/s/shop/settings/resume/", follow=True))
    assert AuditEvent.objects.filter(act="service.resumed").count() == 1
    assert "2 messages of 1 send are not posted yet." in text_of(admin, "/s/shop/settings/stop/")
    assert "2 messages will not be sent" in said(admin.post("/s/shop/settings/stop/", follow=True))
    provider.dispatch()
    assert len(provider.bodies) == 1, "the other service's only"
    assert foreign.counts() == {"queued": 1}
    assert last("service.stopped").details["stopped"] == 2


# --- settings -----------------------------------------------------------------------------------------------------------


def connection(service: Service, **changes) -> dict[str, object]:
    del service
    fields = {
        "rate": "100",
        "batch_size": "50",
        "burst": "on",
        "quiet_hours": "21:00 - 8:00",
        "hold_failures": "40",
        "hold_silence": "",
        "hold_opt_outs": "3",
        "text_limit": "1024",
        "default_country": "GB",
        "time_zone": "Europe/London",
    }
    return fields | changes


def test_pace_hours_and_rules_are_kept_with_their_audit_row(cast):
    response = cast["admin"].post("/s/shop/settings/limits/", connection(cast.service))
    assert response.status_code == 302, response.context["form"].errors
    kept = Service.objects.get(pk=cast.service.pk)
    assert (kept.batch_size, kept.burst, kept.quiet_hours) == (50, True, "21:00-08:00")
    assert (kept.hold_failures, kept.hold_silence, kept.hold_opt_outs) == (40, None, 3)
    assert {"batch_size", "quiet_hours", "hold_silence"} <= set(last("service.changed").details["fields"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"batch_size": "101"}, "batch_size"),
        ({"batch_size": "0"}, "batch_size"),
        ({"batch_size": "1001", "rate": ""}, "batch_size"),
        ({"rate": "20"}, "batch_size"),
        ({"quiet_hours": "at night"}, "quiet_hours"),
        ({"quiet_hours": "21:00-25:00"}, "quiet_hours"),
        ({"hold_failures": "0"}, "hold_failures"),
        ({"hold_silence": "101"}, "hold_silence"),
        ({"hold_opt_outs": "many"}, "hold_opt_outs"),
    ],
)
def test_each_mistake_is_named_at_its_field(cast, changes, field):
    response = cast["admin"].post("/s/shop/settings/limits/", connection(cast.service, **changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Service.objects.get(pk=cast.service.pk).batch_size == 1


def test_the_burst_meters_show_what_is_used(cast):
    from sms.models import Pace

    today = timezone.now().date()
    Pace.objects.create(
        service=cast.service, burst_day=today, burst_day_seconds=240, burst_month_seconds=1800
    )
    shown = text_of(cast["admin"], "/s/shop/settings/limits/")
    assert "4 of 30 min" in shown
    assert "0.5 of 8 h" in shown


# --- compose ------------------------------------------------------------------------------------------------------------


def typed(service: Service, **changes) -> dict[str, object]:
    fields = {
        "sender": service.senders.get().pk,
        "text": "Hello",
        "pasted": "\n".join(f"07700 900{number:03d}" for number in range(120)),
        "country": "GB",
        "when": "now",
        "lane": str(Lane.URGENT.value),
        "resend": "evidence",
        "ramp": "on",
        "review": "1",
    }
    return fields | changes


def test_the_choices_are_kept_in_the_draft_shown_in_the_review_and_made_the_sends(cast):
    composer, service = cast["composer"], cast.service
    soon = timezone.localtime(timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    response = composer.post("/s/shop/compose/", typed(service, resend="always", expires_at=soon))
    assert response.status_code == 302, response.context["form"].errors
    draft = Draft.objects.get()
    assert (draft.lane, draft.resend, draft.ramp) == (Lane.URGENT, "always", True)
    shown = text_of(composer, response.url)
    assert "Urgent: one-off codes and alarms" in shown
    assert "1 % first, then 10 %, then the rest" in shown
    assert "it may arrive twice" in shown
    composer.post(response.url)
    send = Send.objects.get()
    assert (send.lane, send.resend, send.ramp) == (Lane.URGENT, Resend.ALWAYS, True)
    assert send.expires_at == draft.expires_at is not None


def test_a_time_that_the_clocks_show_twice_is_one_moment(cast):
    fields = typed(cast.service, when="later", send_at="2027-10-31T01:30")
    response = cast["composer"].post("/s/shop/compose/", fields)
    assert response.status_code == 302, response.context["form"].errors
    assert "31 October 2027 at 01:30" in text_of(cast["composer"], response.url)
    assert f"{Draft.objects.get().send_at:%H:%M}" == "00:30"


def test_a_time_that_the_clocks_skip_is_refused_at_its_field(cast):
    response = cast["composer"].post(
        "/s/shop/compose/", typed(cast.service, when="later", send_at="2027-03-28T01:30")
    )
    assert response.status_code == 422
    (said,) = response.context["form"].errors["send_at"]
    assert "does not exist on 28 March 2027" in said and "Choose 02:00 or later" in said


@pytest.mark.parametrize("typed_time", ["2027-02-30T10:00", "tomorrow", "2027-13-01T10:00"])
def test_a_time_that_no_calendar_has_is_refused_at_its_field(cast, typed_time):
    response = cast["composer"].post(
        "/s/shop/compose/", typed(cast.service, when="later", send_at=typed_time)
    )
    assert (response.status_code, list(response.context["form"].errors)) == (422, ["send_at"])


def test_always_needs_an_expiry_and_says_so_there(cast):
    response = cast["composer"].post("/s/shop/compose/", typed(cast.service, resend="always"))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["expires_at"]
    assert Draft.objects.get().resend == "always", "what was chosen is kept"


def test_quiet_hours_are_offered_only_where_the_service_has_some(cast):
    composer, service = cast["composer"], cast.service
    assert 'name="respect_quiet_hours"' not in text_of(composer, "/s/shop/compose/")
    Service.objects.filter(pk=service.pk).update(quiet_hours="21:00-08:00")
    assert 'name="respect_quiet_hours"' in text_of(composer, "/s/shop/compose/")
    review = composer.post("/s/shop/compose/", typed(service)).url
    assert "not respected" in text_of(composer, review)
    composer.post(review)
    assert Send.objects.get().quiet_hours == ""
    review = composer.post("/s/shop/compose/", typed(service, respect_quiet_hours="on")).url
    composer.post(review, {"again": "1"})  # the same words to the same people: said to be meant
    assert Send.objects.first().quiet_hours == "21:00-08:00"


def test_a_draft_from_before_the_service_had_quiet_hours_respects_them(cast):
    review = cast["composer"].post("/s/shop/compose/", typed(cast.service)).url
    Service.objects.filter(pk=cast.service.pk).update(quiet_hours="21:00-08:00")
    cast["composer"].post(review)
    assert Send.objects.get().quiet_hours == "21:00-08:00"


@pytest.mark.parametrize(("field", "value"), [("lane", "9"), ("resend", "perhaps"), ("expires_at", "soon")])
def test_a_choice_that_does_not_exist_is_refused_at_its_field(cast, field, value):
    response = cast["composer"].post("/s/shop/compose/", typed(cast.service, **{field: value}))
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Send.objects.exists()


def test_the_review_says_that_the_sender_is_paused(cast):
    holds.hold(cast.service.senders.get(), by=BY, because="Being moved")
    review = cast["composer"].post("/s/shop/compose/", typed(cast.service)).url
    assert "Sender SHOP is paused: “Being moved”" in text_of(cast["composer"], review)


# --- the admin ----------------------------------------------------------------------------------------------------------


def test_opt_outs_are_added_in_the_admin_and_holds_only_read(cast):
    from sms.models import OptOut

    admin = cast["admin"]
    page = admin.post(
        "/admin/sms/optout/add/",
        {"service": cast.service.pk, "msisdn": "07700 900123", "evidence": "By phone"},
    )
    assert page.status_code == 302, page.context["errors"]
    made = OptOut.objects.get()
    assert (made.msisdn, made.source, made.evidence) == ("+447700900123", "page", "By phone")
    assert "900123" not in admin.get(f"/admin/sms/optout/{made.pk}/change/").content.decode()
    bad = admin.post("/admin/sms/optout/add/", {"service": cast.service.pk, "msisdn": "nonsense"})
    assert (bad.status_code, OptOut.objects.count()) == (200, 1)
    lifted = {"evidence": "Came back", "lifted_at_0": "2026-03-01", "lifted_at_1": "10:00:00"}
    assert admin.post(f"/admin/sms/optout/{made.pk}/change/", lifted).status_code == 403
    made.refresh_from_db()
    assert made.lifted_at is None, "lifting asks for a reason, on the opt-outs page"
    twice = admin.post("/admin/sms/optout/add/", {"service": cast.service.pk, "msisdn": "07700 900123"})
    assert "This number is opted out already." in twice.content.decode()
    assert admin.get(f"/admin/sms/optout/{made.pk}/delete/").status_code == 403
    held = holds.hold(cast.service.senders.get(), by=BY, because="Being moved")
    assert "Being moved" in admin.get(f"/admin/sms/hold/{held.pk}/change/").content.decode()
    assert admin.get("/admin/sms/hold/add/").status_code == 403


def test_quiet_hours_and_batch_size_are_checked_in_the_admin_too(cast):
    fields = {
        "name": "Shop",
        "rate": "10",
        "batch_size": "20",
        "quiet_hours": "never",
        "text_limit": "1024",
        "default_country": "GB",
        "time_zone": "Europe/London",
    }
    page = cast["admin"].post(f"/admin/sms/service/{cast.service.pk}/change/", fields)
    assert {"quiet_hours", "batch_size"} <= set(page.context["adminform"].form.errors)
