"""The pages of approval: who sees what, what an answer does, and that a page that is out of date changes nothing."""

import html
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from portal.models import User
from sms import notices
from sms.compose.approval import endings
from sms.compose.approval.notices import remind_due
from sms.models import ApprovalRequest, ApprovalRules, Draft, Message, Notice, Send, SendState
from sms.sends import answers
from tests.support.approvals import a_person, acting, request_of
from tests.support.jobs import run_chores, run_job
from tests.support.people import Cast, a_cast

pytestmark = pytest.mark.django_db
URL = "https://desk.example.test"


@pytest.fixture
def cast() -> Cast:
    made = a_cast()
    ApprovalRules.objects.create(service=made.service, size=1, size_approvers=1)
    return made


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def a_draft(cast, **changes) -> Draft:
    fields = {
        "sender": cast.service.senders.get(),
        "text": "Now 20 % off",
        "pasted": "+447700900123",
    } | changes
    return Draft.objects.create(
        service=cast.service, created_by=User.objects.get(email="composer@example.test"), **fields
    )


def sent_for_approval(cast, draft: Draft | None = None) -> Send:
    draft = draft or a_draft(cast)
    response = cast["composer"].post(f"/s/shop/drafts/{draft.pk}/review/")
    assert response.status_code == 302
    draft.refresh_from_db()
    return draft.send


def answer(client, request: ApprovalRequest, what: str, **fields):
    data = {"seen": request.fingerprint} | fields
    return client.post(f"/s/shop/approvals/{request.pk}/{what}/", data, follow=True)


def test_a_no_keeps_what_it_was_a_no_to_whatever_the_page_sent(cast):
    request = request_of(sent_for_approval(cast))
    answer(cast["approver"], request, "reject", seen="out of date", comment="Too loud.")
    decision = request.decisions.get()
    assert (decision.approved, decision.fingerprint) == (False, request.fingerprint)


def test_the_review_says_who_is_asked_and_its_button_asks(cast):
    page = cast["composer"].get(f"/s/shop/drafts/{a_draft(cast).pk}/review/")
    said = text_of(page)
    assert "One person has to approve first" in said
    assert "from 1 on a send is large" in said
    assert "Ask for approval to send to 1 recipient" in said
    send = sent_for_approval(cast)
    assert send.state == SendState.AWAITING
    assert "Waits for approval" in text_of(cast["composer"].get(f"/s/shop/sends/{send.pk}/"))


def test_the_approver_is_informed_on_every_page_and_answers(cast):
    send = sent_for_approval(cast)
    request = request_of(send)
    home = text_of(cast["approver"].get("/s/shop/"))
    assert "Needs your approval" in home
    assert "Approvals 1 waiting for you" in home
    assert "waiting for you" not in text_of(cast["composer"].get("/s/shop/"))
    page = cast["approver"].get(f"/s/shop/approvals/{request.pk}/")
    assert "+44 7700 ••• 123" in text_of(page)
    assert "7700900123" not in page.content.decode()
    response = answer(cast["approver"], request, "approve", comment="Fine.")
    assert "Approved. It is being sent." in text_of(response)
    send.refresh_from_db()
    assert send.state == SendState.SENDING
    trail = text_of(cast["auditor"].get(f"/s/shop/sends/{send.pk}/"))
    assert "approver@example.test “Fine.”" in trail
    assert "1 of 1 approval" in trail


def test_a_no_needs_a_reason_and_gives_the_draft_back(cast):
    send = sent_for_approval(cast)
    request = request_of(send)
    refused = answer(cast["approver"], request, "reject")
    assert refused.status_code == 422
    assert "Say why" in text_of(refused)
    answer(cast["approver"], request, "reject", comment="The price is wrong.")
    send.refresh_from_db()
    assert send.state == SendState.CANCELLED
    seen = text_of(cast["composer"].get(f"/s/shop/approvals/{request.pk}/"))
    assert "“The price is wrong.”" in seen
    draft = request.draft
    draft.refresh_from_db()
    assert draft.send is None
    draft.text = "Now 15 % off"
    draft.save()
    again = request_of(sent_for_approval(cast, draft))
    page = cast["approver"].get(f"/s/shop/approvals/{again.pk}/").content.decode()
    assert "<del>20</del><ins>15</ins>" in "".join(page.split())
    assert "0 recipients added, 0 removed, 1 the same." in text_of(
        cast["approver"].get(f"/s/shop/approvals/{again.pk}/")
    )


@pytest.mark.parametrize("what", ["approve", "reject"])
def test_a_comment_that_no_database_keeps_is_refused_and_decides_nothing(cast, what):
    request = request_of(sent_for_approval(cast))
    assert answer(cast["approver"], request, what, comment="Fine\0.").status_code == 400
    assert answer(cast["approver"], request, what, comment="x" * 1001).status_code == 400
    assert not request.decisions.exists()
    written = "\n".join(["x"] * 500)
    answer(cast["approver"], request, what, comment=written.replace("\n", "\r\n"))
    assert request.decisions.get().comment == written


def test_a_page_that_is_out_of_date_approves_nothing(cast):
    send = sent_for_approval(cast)
    request = request_of(send)
    Message.objects.filter(send=send).update(text="Now 90 % off")
    response = answer(cast["approver"], request, "approve")
    said = text_of(response)
    assert "It was changed since it was asked about: the texts of single recipients" in said
    assert "This is not the latest request" not in said
    send.refresh_from_db()
    assert send.state == SendState.AWAITING
    old = answer(cast["approver"], request_of(send), "approve", seen=request.fingerprint)
    assert "not what was on your page" in text_of(old)
    assert ApprovalRequest.objects.filter(state="approved").count() == 0


def test_ones_own_send_has_no_buttons_and_takes_no_answer(cast):
    root = User.objects.get(email="composer@example.test")
    User.objects.filter(pk=root.pk).update(is_superuser=True)
    send = sent_for_approval(cast)
    request = request_of(send)
    page = cast["composer"].get(f"/s/shop/approvals/{request.pk}/")
    assert "You wrote this" in text_of(page)
    assert f"approvals/{request.pk}/approve" not in page.content.decode()
    assert answer(cast["composer"], request, "approve").status_code == 422
    assert answer(cast["composer"], request, "reject", comment="x").status_code == 422
    send.refresh_from_db()
    assert send.state == SendState.AWAITING


def test_the_person_who_saved_the_draft_is_one_of_its_authors(cast):
    """An approver who is a composer too, and mended a word, answers no more."""
    draft = a_draft(cast)
    eve = a_person("eve", cast.service, "approver", "composer")
    from tests.support.people import Client

    client = Client()
    client.force_login(eve)
    client.post(
        f"/s/shop/drafts/{draft.pk}/",
        {
            "text": "Now 25 % off",
            "sender": draft.sender_id,
            "pasted": draft.pasted,
            "lane": 1,
            "resend": "never",
            "save": "1",
        },
    )
    send = sent_for_approval(cast, draft)
    assert answer(client, request_of(send), "approve").status_code == 422


def test_taking_back_opens_the_draft_again(cast):
    send = sent_for_approval(cast)
    response = cast["composer"].post(f"/s/shop/sends/{send.pk}/take-back/")
    assert response.url == f"/s/shop/drafts/{request_of(send).draft_id}/"
    send.refresh_from_db()
    assert send.state == SendState.CANCELLED
    assert request_of(send).state == "withdrawn"


def test_what_expired_is_asked_again(cast):
    send = sent_for_approval(cast)
    ApprovalRequest.objects.update(expires_at=timezone.now())
    run_chores()
    assert "Ask again" in text_of(cast["composer"].get(f"/s/shop/sends/{send.pk}/"))
    response = cast["composer"].post(f"/s/shop/sends/{send.pk}/ask-again/", follow=True)
    assert "Asked again." in text_of(response)
    assert ApprovalRequest.objects.filter(state="open").count() == 1


def test_the_lists_show_what_is_whose(cast):
    request = request_of(sent_for_approval(cast))
    name = request.send.name
    for who, show, there in (
        ("approver", "me", True),
        ("composer", "me", False),
        ("composer", "mine", True),
        ("approver", "mine", False),
        ("auditor", "open", True),
        ("auditor", "decided", False),
    ):
        page = cast[who].get(f"/s/shop/approvals/?show={show}")
        assert (name in text_of(page)) == there, (who, show)
    answer(cast["approver"], request, "approve")
    assert name in text_of(cast["auditor"].get("/s/shop/approvals/?show=decided"))


# --- by e-mail --------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def public_url(settings):
    settings.PUBLIC_URL = URL


def told() -> list[tuple[list[str], str]]:
    run_job("notice mails")
    found = [(one.to, one.subject) for one in mail.outbox]
    mail.outbox.clear()
    return found


def test_approvers_are_asked_and_reminded_and_the_author_is_informed(cast):
    send = sent_for_approval(cast)
    request = request_of(send)
    assert mail.outbox == [], "never inside the request"
    run_job("notice mails")
    (asked,) = mail.outbox
    assert asked.to == ["approver@example.test"]
    one = Notice.objects.get()
    assert f"{URL}/notices/{one.pk}/" in asked.body
    opened = cast["approver"].get(f"/notices/{one.pk}/")
    assert opened.headers["Location"] == f"/s/shop/approvals/{request.pk}/"
    assert "7700" not in asked.body
    assert "20 % off" not in asked.body
    mail.outbox.clear()
    assert told() == []
    request.refresh_from_db()
    assert (remind_due(now=request.remind_at), remind_due(now=request.remind_at)) == (1, 0)
    assert "the time is running out" in Notice.objects.get(event=f"approval:{request.pk}:reminded").says
    answer(cast["approver"], request, "approve")
    assert told() == [(["composer@example.test"], f"Textdesk: “{send.name}” was approved")]
    assert told() == []


def test_the_page_and_the_mail_say_of_rows_left_out_how_many_and_why(cast):
    numbers = "\n".join(["+447700900123"] * 3 + ["+447700900124", "12"])
    request = request_of(sent_for_approval(cast, a_draft(cast, pasted=numbers)))
    why = "2 rows repeat an earlier number; 1 row has a number with too few digits"
    page = cast["approver"].get(f"/s/shop/approvals/{request.pk}/")
    assert f"Rows left out {why}" in text_of(page)
    run_job("notice mails")
    assert f"Left out: {why}." in mail.outbox.pop().body


def run_out(request: ApprovalRequest) -> None:
    ApprovalRequest.objects.filter(pk=request.pk).update(expires_at=timezone.now())
    endings.expire_due()


def test_the_author_hears_of_every_end(cast):
    approver = User.objects.get(email="approver@example.test")
    ends = {
        "was rejected": lambda one: answers.reject(
            one, by=acting(approver), seen=one.fingerprint, comment="No."
        ),
        "is void": lambda one: endings.void(one.send, ["text"], by=acting(approver)),
        "expired": run_out,
    }
    for words, end in ends.items():  # different words: the same ones to the same people are asked about first
        request = request_of(sent_for_approval(cast, a_draft(cast, text=words)))
        told()
        end(request)
        mine = [subject for to, subject in told() if to == ["composer@example.test"]]
        assert [words in subject for subject in mine] == [True], words


def test_a_mail_server_that_is_away_is_tried_again(cast, monkeypatch):
    from django.core.mail.backends import locmem

    sent_for_approval(cast)

    def away(self, messages):
        raise OSError("no route to host")

    with monkeypatch.context() as patched:
        patched.setattr(locmem.EmailBackend, "send_messages", away)
        assert told() == []
    assert told() == [], "not at once"
    later = timezone.now() + timedelta(minutes=11)
    assert notices.send_due(public_url=URL, now=later) == 1


def test_rules_that_ask_for_more_than_there_are_say_so(cast):
    ApprovalRules.objects.update(size_approvers=2)
    page = text_of(cast["composer"].get(f"/s/shop/drafts/{a_draft(cast).pk}/review/"))
    assert "Of this service's approvers one person could approve, and 2 approvals are needed." in page
    request = request_of(sent_for_approval(cast))
    assert "1 of the service's approvers could answer" in text_of(
        cast["auditor"].get(f"/s/shop/approvals/{request.pk}/")
    )
    assert "A rule asks for more approvers than there are" in text_of(
        cast["admin"].get("/s/shop/settings/approval/")
    )
