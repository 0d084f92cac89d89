"""A duplicate says what its send said, to those that were chosen, with the values of their rows; and says what it could not take over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.audiences import packing, saved
from sms.audiences.files import Limits, read_pasted
from sms.compose import checks, drafts
from sms.compose.create import create
from sms.compose.drafts import duplicate
from sms.compose.drafts.recipients_of_send import RecipientsGone, Who
from sms.inbound import optouts
from sms.models import (
    USUAL_RECEIPTS,
    AudienceVersion,
    AuditEvent,
    Draft,
    Lane,
    Message,
    MessageState,
    Send,
    ShortLinkDomain,
    Upload,
)
from sms.sends import control
from tests.support.drop_in import body, post
from tests.support.partners import a_key
from tests.support.sends import BY, a_send, a_service, an_order

pytestmark = pytest.mark.django_db
LIMITS = Limits()
ROWS = 'phone,name\n07700900001,"O\'Neil, Ann"\n07700900002,=Bob\nabc,Carl\n07700900003,\n07700900004,Dora\n'


@pytest.fixture
def service():
    return a_service()


def from_a_file(service, rows=ROWS, **changes) -> Send:
    upload = Upload.keep(rows.encode(), service=service, name="people.csv", user=None)
    fields = {"text": "Hi $(name)", "sender": service.senders.get(), "country": "GB", "upload": upload}
    draft = Draft.objects.create(service=service, **fields | changes)
    return drafts.send_draft(draft, by=BY, limits=LIMITS)


def again(send: Send, who: Who | None = Who.ALL) -> tuple[Draft, list[str]]:
    draft, told = duplicate.duplicate(send, who, by=BY, limits=LIMITS)
    return Draft.objects.get(pk=draft.pk), told


def texts(draft: Draft) -> dict[str, str]:
    lines = checks.check(drafts.order_of_draft(draft, limits=LIMITS)).lines
    return {line.msisdn: line.text for line in lines}


def test_the_same_recipients_of_a_file_are_the_same_file(service):
    send = from_a_file(service, ramp=True, respect_quiet_hours=False, tag1="spring")
    draft, told = again(send)
    before = send.draft
    assert told == []
    assert draft.pk != before.pk
    assert draft.upload == before.upload
    assert (draft.text, draft.ramp, draft.respect_quiet_hours, draft.tag1) == (
        "Hi $(name)",
        True,
        False,
        "spring",
    )
    assert (draft.send, draft.send_at) == (None, None)
    assert texts(draft) == {message.msisdn: message.text for message in send.messages.all()}
    acts = AuditEvent.objects.filter(act__in=("send.duplicated", "draft.created"))
    assert {(one.act, one.noun_key) for one in acts} >= {
        ("send.duplicated", str(send.pk)),
        ("draft.created", str(draft.pk)),
    }


def test_a_program_s_options_are_taken_over_but_for_what_its_system_hears(service):
    asked = {
        "batchId": "spring-7",
        "callbackData": "shop=7",
        "notifyUrl": "https://partner.example.com/r",
        "requestedReceipts": ["FAILED"],
        "textdesk": {"lane": "bulk"},
    }
    assert post(a_key(service), body(**asked)).status_code == 201
    draft, told = again(Send.objects.get())
    assert (draft.batch_id, draft.callback_data, draft.lane) == ("spring-7", "shop=7", Lane.BULK)
    assert (draft.notify_url, draft.receipts) == ("", USUAL_RECEIPTS)
    assert told == ["A program made it; what only a program can ask for was not taken over."]


def test_a_program_s_validity_is_taken_over_without_the_moment_at_which_it_ends(service):
    """A draft has one of the two."""
    asked = body(validity="3600")
    assert post(a_key(service), asked).status_code == 201
    send = Send.objects.get()
    assert (send.validity, send.expires_at is None) == (3600, False)
    draft, _ = again(send)
    assert (draft.validity, draft.expires_at) == (3600, None)


def test_only_the_failed_get_their_own_values_again_however_odd(service):
    send = from_a_file(service)
    assert send.recipients == 3
    Message.objects.filter(send=send, row__in=(2, 3)).update(state=MessageState.FAILED)
    draft, told = again(send, Who.FAILED)
    assert told == []
    assert texts(draft) == {"+447700900001": "Hi O'Neil, Ann", "+447700900002": "Hi =Bob"}
    draft, _ = again(send, Who.UNDELIVERED)
    assert len(texts(draft)) == 3
    Message.objects.filter(send=send, row=6).update(state=MessageState.DELIVERED)
    draft, _ = again(send, Who.UNDELIVERED)
    assert set(texts(draft)) == {"+447700900001", "+447700900002"}


def test_rejected_rows_come_as_they_were_to_be_mended(service):
    draft, told = again(from_a_file(service), Who.REJECTED)
    content = bytes(draft.upload.content).decode()
    assert "abc" in content
    assert "+447700900003" in content
    assert "$(name)" in told[0]


def a_saved(service, text="number,name\n07700900001,Ann\n07700900002,Bob"):
    packed = packing.pack_pasted(text, country="GB", limits=LIMITS)
    return saved.create(service, packed, name="Regulars", by=BY)


def to_a_saved(service, kept) -> Send:
    draft = Draft.objects.create(
        service=service, text="Hi $(name)", sender=service.senders.get(), audience=kept, country="GB"
    )
    return drafts.send_draft(draft, by=BY, limits=LIMITS)


def test_a_saved_audience_is_named_while_it_is_the_same_and_its_old_rows_are_taken_where_it_was_replaced(
    service,
):
    kept = a_saved(service)
    send = to_a_saved(service, kept)
    assert again(send)[0].audience == kept
    saved.replace(
        kept,
        packing.pack_pasted("number,name\n07700900009,Zoe", country="GB", limits=LIMITS),
        by=BY,
    )
    send = Send.objects.get(pk=send.pk)
    draft, told = again(send)
    assert told == []
    assert draft.audience is None
    assert texts(draft) == {"+447700900001": "Hi Ann", "+447700900002": "Hi Bob"}
    saved.erase(send.audience, by=BY)
    draft, told = again(Send.objects.get(pk=send.pk))
    assert set(Draft.objects.get(pk=draft.pk).upload.name.split())  # numbers are kept with the messages
    assert "$(name)" in told[0]


@pytest.mark.parametrize("kept", [True, False])
def test_a_send_of_a_program_keeps_its_rows_and_says_what_is_missing_once_they_are_gone(kept, service):
    audience = read_pasted(
        "number,name\n07700900001,Ann\n07700900001,Ann", country="GB", limits=LIMITS, allow_duplicates=True
    )
    order = an_order(service, audience=audience, content="Hi $(name)")
    send = create(order, by=BY)
    if not kept:
        AudienceVersion.objects.update(erased_at=timezone.now())
        send.refresh_from_db()
    draft, told = again(send)
    assert draft.text == "Hi $(name)"
    assert told == [] if kept else "$(name)" in told[-1]
    audience = drafts.audience_of_draft(draft, limits=LIMITS)
    assert [one.msisdn for one in audience.recipients] == ["+447700900001"] * 2
    assert [one.substitutions for one in audience.recipients] == [{"name": "Ann"} if kept else {}] * 2


def test_opt_outs_since_then_are_left_out(service):
    send = from_a_file(service)
    optouts.opt_out(service.pk, [optouts.Refusal("+447700900001")], by=BY, source="page")
    assert "+447700900001" not in texts(again(send)[0])


def test_people_who_are_gone_are_said_to_be_and_the_text_can_still_be_taken(service):
    send = a_send(service, 2)
    Message.objects.filter(send=send).update(msisdn="")
    assert "kept no longer" in next(one.problem for one in duplicate.choices(send) if one.who == Who.ALL)
    with pytest.raises(RecipientsGone):
        again(send)
    assert Draft.objects.count() == 0
    draft, told = again(send, None)
    assert (draft.text, told) == ("Hello", [])


def test_choices_count_and_say_why_not(service):
    send = a_send(service, 3)
    told = {one.who: one for one in duplicate.choices(send)}
    assert told[Who.FAILED].problem == "No message failed."
    assert told[Who.REJECTED].problem == "No row was rejected."
    assert "has not ended" in told[Who.UNDELIVERED].problem
    control.stop(send, by=BY)
    told = {one.who: one for one in duplicate.choices(Send.objects.get())}
    assert (told[Who.UNDELIVERED].count, told[Who.UNDELIVERED].problem) == (3, "")


def test_what_is_archived_or_over_is_left_out_and_said(service):
    domain = ShortLinkDomain.objects.create(
        service=service, region=service.region, host="go.example.test", state="working"
    )
    send = a_send(
        service,
        link_domain=domain,
        expires_at=timezone.now() + timedelta(hours=1),
        resend="always",
        name="Spring",
    )
    ShortLinkDomain.objects.update(active=False)
    Send.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    draft, told = again(Send.objects.select_related("link_domain").get(pk=send.pk))
    assert (draft.link_domain, draft.expires_at, draft.resend, draft.name) == (None, None, "never", "Spring")
    assert any("go.example.test is archived" in one for one in told)
    assert any("expiry has passed" in one for one in told)


def test_the_page_asks_to_whom_and_opens_the_draft(service):
    from tests.support.people import signed_in

    composer = signed_in("composer@example.test", service, "composer")
    send = from_a_file(service)
    url = f"/s/shop/sends/{send.pk}/duplicate/"
    page = composer.get(url)
    assert "O'Neil" not in page.content.decode()
    assert composer.post(url, {"who": "failed"}).status_code == 422
    assert composer.post(url, {}).status_code == 422
    made = composer.post(url, {"who": "all"})
    assert made.url == f"/s/shop/drafts/{Draft.objects.filter(send=None).get().pk}/"
    assert composer.get(made.url).status_code == 200
