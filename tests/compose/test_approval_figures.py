"""Approval to the letter: which rule asks at which figure, what is mailed to whom and when, and what a request says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as outbox
from django.utils import timezone
from django_q.models import OrmQ

from portal.models import User
from sms import notices
from sms.compose.approval import details, endings, parts, requests, rules
from sms.compose.approval.notices import REMINDER_AT, remind_due
from sms.compose.approval.rules import ApprovalReason, Needed
from sms.compose.create import create
from sms.models import (
    ApprovalRequest,
    ApprovalRules,
    ApprovalState,
    AuditEvent,
    Message,
    Send,
    ShortLinkDomain,
)
from sms.sends import answers
from sms.sends.cancel import cancel
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.provider import Provider, raw_reply
from tests.support.sends import BY, a_send, a_service, an_order

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOW = datetime(2027, 3, 2, 9, 30, tzinfo=UTC)
URL = "https://desk.example.test"


def asked_of(order, recipients: int, *, now: datetime = NOW, countries=("GB",)) -> list[tuple[str, int, str]]:
    found = rules.needed(order, recipients=recipients, countries=lambda: set(countries), now=now)
    assert found.approvers == max((one.approvers for one in found.reasons), default=0)
    return [(one.rule, one.approvers, one.detail) for one in found.reasons]


@pytest.mark.parametrize(("recipients", "asks"), [(0, 0), (1_999, 0), (2_000, 2), (2_001, 2)])
def test_a_send_is_large_from_its_figure_on(recipients, asks):
    service = a_service()
    ApprovalRules.objects.create(service=service, size=2_000, size_approvers=2)
    says = f"It goes to {recipients:,} recipients; from 2,000 on a send is large."
    assert asked_of(an_order(service), recipients) == ([("size", 2, says)] if asks else [])


def test_every_rule_asks_with_its_own_number_and_sentence_and_the_most_counts():
    service = a_service(time_zone="Europe/London")
    domain = ShortLinkDomain.objects.create(service=service, region=service.region, host="s.example.test")
    ApprovalRules.objects.create(
        service=service, size=1, size_approvers=1, new_sender=1, new_domain=2, new_country=1,
        outside_hours=1, hours="09:00-17:00", valid_hours=7,
    )  # fmt: skip
    order = an_order(service, link_domain=domain)
    late = datetime(2027, 3, 2, 17, 5, tzinfo=UTC)
    found = rules.needed(order, recipients=1, countries=lambda: {"GB", "FR", ""}, now=late)
    assert (found.approvers, found.eligible, found.valid_hours) == (2, 0, 7)
    assert [(one.rule, one.approvers, one.detail) for one in found.reasons] == [
        ("size", 1, "It goes to 1 recipient; from 1 on a send is large."),
        ("new_sender", 1, f"It is the first send from {order.sender}."),
        ("new_domain", 2, f"It is the first send with links on {domain}."),
        ("new_country", 1, found.reasons[3].detail),
        (
            "outside_hours",
            1,
            f"It is 17:05 in Europe/London, outside the ordinary hours {ApprovalRules.objects.get().hours}.",
        ),
    ]
    assert found.reasons[3].detail == "It is the first send to France (+33), United Kingdom (+44)."
    Send.objects.filter(pk=a_send(service).pk).update(state="finished")
    assert "new_sender" not in [rule for rule, _, _ in asked_of(order, 1)]
    Send.objects.update(test=True)
    assert "new_sender" in [rule for rule, _, _ in asked_of(order, 1)], "a test is no send"
    assert "outside_hours" not in [rule for rule, _, _ in asked_of(order, 1)]


@pytest.mark.parametrize(
    ("approvers", "eligible", "short"),
    [
        (1, 1, ""),
        (2, 3, ""),
        (1, 0, "Of this service's approvers no one could approve, and one approval is needed."),
        (2, 1, "Of this service's approvers one person could approve, and 2 approvals are needed."),
        (3, 2, "Of this service's approvers 2 people could approve, and 3 approvals are needed."),
    ],
)
def test_too_few_approvers(approvers, eligible, short):
    way_out = " An admin can add approvers under Set-up › Team › People, or ask for fewer under Set-up › Rules › Approval."
    needed = Needed(approvers, (ApprovalReason("size", approvers, "x"),), eligible, 24)
    assert needed.short == (short + way_out if short else "")


# --- mail ---------------------------------------------------------------------------------------------------------------
def due(request: ApprovalRequest, now: datetime) -> list[tuple[str, str, list[str]]]:
    """What is mailed now."""
    outbox.outbox.clear()
    remind_due(now=now)
    count = notices.send_due(public_url=URL, now=now)
    assert count == len(outbox.outbox)
    request.refresh_from_db()
    found = []
    for one in outbox.outbox:
        name, says, *more, page, choose = one.body.split("\n\n")
        assert name == request.service.name and page.startswith(f"{URL}/notices/") and not one.bcc
        assert one.subject == f"Textdesk: {says.rstrip('.')}" and choose.startswith("\nChoose what")
        found.append((says, "\n\n".join(more), one.to))
    return found


def test_approvers_are_asked_once_and_reminded_once_before_the_time_is_over():
    service = a_careful_service(2)
    ada, bob, eve = (a_person(name, service) for name in ("ada", "bob", "eve"))
    send = create(an_order(service, 2), by=acting(ada))
    request = request_of(send)
    end = f"{request.expires_at:%-d %B, %H:%M} UTC"
    body = (
        f"{ada.email} asks to send “{send.name}” to 2 recipients, as soon as it is approved.\n\n"
        "Why you are asked:\n- It goes to 2 recipients; from 1 on a send is large.\n\n"
        f"Two people have to approve it. It can be answered until {end}."
    )
    assert due(request, request.asked_at - timedelta(seconds=1)) == []
    assert due(request, request.asked_at) == [
        (f"“{send.name}” needs your approval.", body, [bob.email]),
        (f"“{send.name}” needs your approval.", body, [eve.email]),
    ]
    whole = request.expires_at - request.asked_at
    remind_at = request.remind_at
    assert remind_at == request.expires_at - whole * REMINDER_AT
    assert due(request, remind_at - timedelta(seconds=1)) == []
    answers.approve(request, by=acting(bob), seen=request.fingerprint, comment="")
    assert due(request, remind_at) == [
        (f"“{send.name}” needs your approval, and the time is running out.", body, [eve.email])
    ]
    assert request.remind_at is None
    assert due(request, request.expires_at) == []


def asked() -> tuple[Send, ApprovalRequest, object]:
    service = a_careful_service()
    ada, _ = a_person("ada", service), a_person("bob", service)
    send = create(an_order(service, 1, due_at=timezone.now() + 3 * HOUR), by=acting(ada))
    request = request_of(send)
    return send, request, ada


def asked_again(send: Send) -> tuple[Send, ApprovalRequest, object]:
    ada = User.objects.get(email="ada@example.test")
    again = create(an_order(send.service, 1, due_at=timezone.now() + 3 * HOUR, name="Again"), by=acting(ada))
    return again, request_of(again), ada


def test_a_request_for_later_says_when():
    send, request, _ = asked()
    ((_, body, _),) = due(request, timezone.now())
    assert f"to 1 recipients, {send.due_at:%-d %B %Y, %H:%M} UTC.\n" in body
    assert "One person has to approve it." in body and "Changed since" not in body


@pytest.mark.parametrize("ending", ["approved", "rejected", "void", "expired", "withdrawn"])
def test_who_asked_is_told_how_it_ended(ending):
    send, request, ada = asked()
    bob = User.objects.get(email="bob@example.test")
    now = timezone.now()
    if ending == "approved":
        answers.approve(request, by=acting(bob), seen=request.fingerprint, comment="")
    elif ending == "rejected":
        answers.reject(request, by=acting(bob), seen=request.fingerprint, comment="Wrong price.")
    elif ending == "void":
        endings.void(send, ["text"], by=acting(bob))
    elif ending == "expired":
        endings.expire(send.pk, now=request.expires_at)
    else:
        cancel(send, by=acting(bob))
    subject, body = {
        "approved": (f"“{send.name}” was approved.", f"The last approval is from {bob.email}."),
        "rejected": (
            f"“{send.name}” was rejected.",
            f"{bob.email} rejected it. Reason: Wrong price.\n\nThe send is cancelled, and its draft can be changed.",
        ),
        "void": (
            f"The approval of “{send.name}” is void.",
            "It was changed after it was asked about, so it has to be approved again. The page says what changed.",
        ),
        "expired": (
            f"The approval of “{send.name}” expired.",
            "The time for it ran out, so nothing was sent. You can ask again, or take the send back.",
        ),
        "withdrawn": (f"“{send.name}” was taken back.", f"{bob.email} took it back. Nothing was sent."),
    }[ending]
    request.refresh_from_db()
    assert request.state == ending
    assert request.ended_at is not None and request.remind_at is None
    mine = [one for one in due(request, request.ended_at + HOUR) if one[2] == [ada.email]]
    assert mine == [(subject, body, [ada.email])]
    assert [one for one in due(request, now + 50 * HOUR) if one[2] == [ada.email]] == []


def test_no_one_is_mailed_about_what_they_did_themselves_and_no_one_who_left():
    send, request, ada = asked()
    cancel(send, by=acting(ada))
    assert due(request, timezone.now() + HOUR) == []
    _, request, ada = asked_again(send)
    ada.is_active = False
    ada.save()
    endings.expire(request.send_id, now=request.expires_at)
    assert [one for one in due(request, timezone.now() + HOUR) if one[2] == [ada.email]] == []


# --- endings ------------------------------------------------------------------------------------------------------------
def test_a_request_expires_at_its_end_and_not_before():
    send, request, _ = asked()
    assert endings.expire_due(now=request.expires_at - timedelta(seconds=1)) == 0
    assert not endings.expire(send.pk, now=request.expires_at - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    assert endings.expire_due(now=request.expires_at) == 1
    request.refresh_from_db()
    send.refresh_from_db()
    assert (request.state, request.ended_at, send.state) == ("expired", request.expires_at, "awaiting")
    row = AuditEvent.objects.get(act="send.approval_expired")
    assert (row.details, row.actor_kind) == ({"request": request.pk}, "system")
    assert endings.expire_due(now=request.expires_at + HOUR) == 0
    again = requests.ask_again(send, by=BY)
    assert again is not None and again.previous == request
    assert requests.ask_again(send, by=BY) is None, "one in force at a time"


def test_an_approval_of_what_has_begun_does_not_expire_and_is_not_withdrawn():
    service = a_careful_service()
    send = create(an_order(service, 2), by=BY)
    request = request_of(send)
    answers.approve(request, by=acting(a_person("bob", service)), seen=request.fingerprint, comment="")
    Provider(lambda body: raw_reply(503)).dispatch(seconds=1)
    request.refresh_from_db()
    assert request.begun_at is not None
    late = request.expires_at + HOUR
    assert endings.expire_due(now=late) == 0
    assert not endings.expire(send.pk, now=late)
    endings.withdraw(send, by=BY, now=late)
    request.refresh_from_db()
    assert request.state == "approved"


def test_a_voided_request_is_followed_by_one_that_says_what_changed():
    send, request, ada = asked()
    new = endings.void(send, ["text", "due_at"], by=acting(ada))
    request.refresh_from_db()
    assert request.state == ApprovalState.VOID
    assert (new.state, new.changed, new.previous, new.at_once) == ("open", ["text", "due_at"], request, False)
    assert (new.approvers, new.rules, new.asked_by) == (request.approvers, request.rules, request.asked_by)
    assert set(new.authors.values_list("pk", flat=True)) == {ada.pk}
    assert new.expires_at - new.asked_at == request.expires_at - request.asked_at
    assert AuditEvent.objects.get(act="send.approval_voided").details == {
        "parts": ["text", "due_at"],
        "request": request.pk,
    }
    ApprovalRequest.objects.filter(state="open").delete()
    assert endings.void(send, ["text"], by=BY) is None


@pytest.mark.parametrize(("later", "at_once"), [(-1, False), (0, True), (1, True)])
def test_another_time_asks_again_and_what_is_due_by_then_goes_at_once(later, at_once):
    send, request, ada = asked()
    now = send.due_at + timedelta(seconds=later)
    endings.time_changed(send, by=acting(ada), now=now)
    new = request_of(send)
    assert (new.previous, new.changed, new.at_once, new.asked_at) == (request, ["due_at"], at_once, now)
    request.refresh_from_db()
    assert (request.state, request.ended_by) == ("void", ada.email)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), ""),
        (("text",), "the text or template"),
        (("text", "due_at"), "the text or template and the time"),
        (("sender", "due_at", "audience"), "the sender, the time and who gets it"),
        (("new_part",), "new_part"),
    ],
)
def test_parts_in_words(names, words):
    assert parts.words_of(names) == words


def test_the_details_of_a_request_and_what_changed_since_the_one_before():
    send, request, _ = asked()
    first = details.details_of(request)
    assert (first.text_changed, list(first.pieces), list(first.changes), list(first.others)) == (
        False,
        [],
        [],
        [],
    )
    assert (
        dict(first.facts)["Sender"] == str(request.snapshot["sender"])
        if "Sender" in dict(first.facts)
        else True
    )
    assert dict(first.facts)["Due"] == f"{timezone.localtime(send.due_at):%-d %b %Y, %H:%M %Z}"
    assert dict(first.facts)["Lane"] == str(request.snapshot["lane"])
    Message.objects.filter(send=send).update(text="Hello there")
    new = endings.void(send, ["audience", "values", "text"], by=BY)
    new.snapshot |= {"text": "Hello there", "recipients": 1_234}
    new.save()
    found = details.details_of(new)
    assert (
        found.text_changed
        and "".join(piece.text for piece in found.pieces if piece.kind != "gone") == "Hello there"
    )
    assert [(one.name, one.before, one.after) for one in found.changes] == [("Recipients", "1", "1,234")]
    assert list(found.others) == ["who gets it", "the texts of single recipients"]
