"""A send that needs approval goes once approved, exactly as it was shown, and never before."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from portal.models import Role
from sms.audiences.files import Limits
from sms.compose import background, checks, drafts
from sms.compose.approval import details, endings, fingerprint, queries, requests, rules
from sms.compose.create import create
from sms.dispatch.claim import Owner, claim
from sms.dispatch.last_look import statuses_of
from sms.models import (
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRules,
    ApprovalState,
    AuditEvent,
    Draft,
    Message,
    Send,
    SendState,
    Slice,
)
from sms.sends import answers, control, holds, reschedule
from tests.support.approvals import a_careful_service, a_person, acting, request_of
from tests.support.large_audiences import large_order
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service, an_order, numbers

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def yes(send: Send, user, *, now=None, seen: str = "", comment: str = "") -> bool:
    request = request_of(send)
    return answers.approve(
        request, by=acting(user), seen=seen or request.fingerprint, comment=comment, now=now
    )


def no(send: Send, user, *, comment: str = "Wrong price.") -> None:
    request = request_of(send)
    answers.reject(request, by=acting(user), seen=request.fingerprint, comment=comment)


def posted() -> list[str]:
    provider = Provider()
    provider.dispatch()
    return provider.numbers


def acts(send: Send) -> list[str]:
    return list(
        AuditEvent.objects.filter(noun="send", noun_key=str(send.pk))
        .order_by("pk")
        .values_list("act", flat=True)
    )


# --- the gate -----------------------------------------------------------------------------------------------------------


def test_nothing_goes_before_the_approval_and_everything_after_it():
    service = a_careful_service()
    send, bob = a_send(service, 3), a_person("bob", service)
    assert send.state == SendState.AWAITING
    assert posted() == []
    assert yes(send, bob)
    send.refresh_from_db()
    assert send.state == SendState.SENDING
    assert len(posted()) == 3
    send.refresh_from_db()
    assert send.state == SendState.FINISHED
    assert acts(send) == ["send.created", "send.approval_asked", "send.approved", "send.released"]
    assert request_of(send).begun_at is not None


def test_two_are_asked_where_a_rule_says_two():
    service = a_careful_service(2)
    send, bob, eve = a_send(service), a_person("bob", service), a_person("eve", service)
    assert not yes(send, bob)
    assert posted() == []
    with pytest.raises(answers.ApprovalRefused, match="You have answered this"):
        yes(send, bob)
    assert yes(send, eve)
    assert len(posted()) == 1


def test_a_send_that_needs_no_approval_asks_no_one(django_assert_num_queries):
    send = a_send(a_service())
    assert (send.state, send.approvers) == (SendState.SENDING, 0)
    assert not ApprovalRequest.objects.exists()
    with django_assert_num_queries(0):
        assert queries.approvals_of([send]) == {}


@pytest.mark.parametrize("state", [SendState.SENDING, SendState.SCHEDULED, SendState.FINISHED])
def test_no_state_alone_lets_an_unapproved_send_out(state):
    """Somebody's hand in the database: the last look asks for the request itself."""
    send = a_send(a_careful_service())
    Send.objects.update(state=state)
    assert statuses_of([send.pk])[send.pk].halted
    assert posted() == []
    assert not Message.objects.exclude(state="pending").exists()


def test_what_was_chosen_just_before_it_was_moved_is_not_claimed():
    """An approval is taken back by a move between the choosing and the claiming."""
    service = a_careful_service()
    send, bob = a_send(service), a_person("bob", service)
    yes(send, bob)
    voided = []

    def between(execute, sql, params, many, context):
        if "sms_slice" in sql and '"id" IN' in sql and not voided:
            voided.append(True)
            endings.void(send, ["text"], by=BY)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(between):
        assert claim(owner=Owner("me"), limit=5) == []
    assert voided


def test_a_scheduled_send_goes_at_its_time_once_approved():
    service = a_careful_service()
    send, bob = a_send(service, due_at=timezone.now() + HOUR), a_person("bob", service)
    assert yes(send, bob)
    send.refresh_from_db()
    assert send.state == SendState.SCHEDULED
    assert posted() == []
    Slice.objects.update(due_at=timezone.now())
    assert len(posted()) == 1


def test_what_goes_at_once_is_due_with_the_last_approval():
    """Or the reports would call the approver's evening a delay of ours."""
    service = a_careful_service()
    send, bob = a_send(service), a_person("bob", service)
    later = timezone.now() + 5 * HOUR
    assert yes(send, bob, now=later)
    send.refresh_from_db()
    assert send.due_at == later
    assert list(send.slices.values_list("due_at", flat=True)) == [later]
    assert fingerprint.of_send(send.pk, due_at=request_of(send).due_at).digest == request_of(send).fingerprint


def test_a_time_that_has_passed_must_be_moved_before_it_can_be_approved():
    service = a_careful_service()
    due = timezone.now() + HOUR
    send, bob = a_send(service, due_at=due), a_person("bob", service)
    with pytest.raises(answers.ApprovalRefused, match="has passed"):
        yes(send, bob, now=due + HOUR)
    reschedule.reschedule(send, due_at=due + 3 * HOUR, by=BY, now=due + HOUR)
    assert yes(send, bob, now=due + 2 * HOUR)
    send.refresh_from_db()
    assert (send.state, send.due_at) == (SendState.SCHEDULED, due + 3 * HOUR)


def test_an_expired_send_is_not_approved():
    service = a_careful_service()
    send, bob = a_send(service, expires_at=timezone.now() + HOUR), a_person("bob", service)
    with pytest.raises(answers.ApprovalRefused, match="expired"):
        yes(send, bob, now=timezone.now() + 2 * HOUR)


# --- who ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("roles", [(role,) for role in Role.values] + [tuple(Role.values)])
@pytest.mark.parametrize("superuser", [False, True])
def test_people_cannot_approve_their_own_send(roles, superuser):
    service = a_careful_service()
    ada = a_person("ada", service, *roles, is_superuser=superuser)
    send = create(an_order(service), by=acting(ada))
    with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
        yes(send, ada)
    with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
        no(send, ada)
    assert posted() == []


def test_editors_of_a_draft_cannot_approve_it():
    service = a_careful_service()
    ada, bob, eve = (a_person(name, service) for name in ("ada", "bob", "eve"))
    draft = Draft.objects.create(
        service=service, sender=service.senders.get(), text="Hi", pasted="+447700900001", created_by=bob
    )
    draft.editors.add(eve)
    send = drafts.send_draft(draft, by=acting(ada), limits=Limits())
    for author in (ada, bob, eve):
        with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
            yes(send, author)
    assert request_of(send).eligible == 0
    assert yes(send, a_person("zoe", service))


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.APPROVER])
def test_only_approvers_answer(role):
    service = a_careful_service()
    send = a_send(service)
    with pytest.raises(answers.ApprovalRefused, match="Approvers of this service answer"):
        yes(send, a_person("max", service, role))
    with pytest.raises(answers.ApprovalRefused, match="Approvers of this service answer"):
        yes(send, a_person("foreign", a_service(slug="other", name="Other"), Role.APPROVER))
    assert yes(send, a_person("root", service, role, is_superuser=True))


# --- no, and back -----------------------------------------------------------------------------------------------------------


def a_draft(service, **changes) -> Draft:
    fields = {"sender": service.senders.get(), "text": "Now 20 % off", "pasted": "+447700900001"} | changes
    return Draft.objects.create(service=service, **fields)


def test_a_rejection_says_why_cancels_the_send_and_gives_the_draft_back():
    service = a_careful_service()
    draft, bob = a_draft(service), a_person("bob", service)
    send = drafts.send_draft(draft, by=BY, limits=Limits())
    with pytest.raises(answers.ApprovalRefused, match="Say why"):
        no(send, bob, comment="  ")
    no(send, bob)
    send.refresh_from_db()
    draft.refresh_from_db()
    assert (send.state, draft.send) == (SendState.CANCELLED, None)
    assert send.messages.get().state == "cancelled"
    request = request_of(send)
    assert (request.state, request.decisions.get().comment) == ("rejected", "Wrong price.")
    assert acts(send)[2:] == ["send.rejected", "send.cancelled"]
    assert "Wrong price" not in str(list(AuditEvent.objects.values_list("details", flat=True)))
    with pytest.raises(answers.ApprovalRefused, match="the request is rejected"):
        yes(send, a_person("eve", service))


def test_what_is_taken_back_and_asked_again_shows_what_changed():
    service = a_careful_service()
    bob = a_person("bob", service)
    draft = a_draft(service, pasted="+447700900001\n+447700900002\n+447700900003")
    send = drafts.send_draft(draft, by=BY, limits=Limits())
    assert answers.take_back(send, by=BY) == draft
    assert request_of(send).state == ApprovalState.WITHDRAWN
    draft.refresh_from_db()
    draft.text, draft.pasted = "Now 30 % off", "+447700900002\n+447700900003\n+447700900004\n+447700900005"
    draft.save()
    again = drafts.send_draft(draft, by=BY, limits=Limits())
    request = request_of(again)
    assert request.previous == request_of(send)
    assert request.audience_change == {"added": 2, "removed": 1, "same": 2}
    seen = details.details_of(request)
    assert [(piece.kind, piece.text) for piece in seen.pieces if piece.kind != "same"] == [
        ("gone", "20"),
        ("new", "30"),
    ]
    assert {"text", "audience", "values"} == set(request.changed)
    assert ("Recipients", "3", "4") in [(one.name, one.before, one.after) for one in seen.changes]
    with pytest.raises(answers.ApprovalRefused, match="nothing to answer any more"):
        answers.approve(request_of(send), by=acting(bob), seen=request_of(send).fingerprint)
    assert yes(again, bob)


def test_an_approved_send_can_be_taken_back_until_it_begins():
    service = a_careful_service()
    draft, bob = a_draft(service, send_at=timezone.now() + HOUR), a_person("bob", service)
    send = drafts.send_draft(draft, by=BY, limits=Limits())
    yes(send, bob)
    assert answers.take_back(send, by=BY) == draft
    assert request_of(send).state == ApprovalState.WITHDRAWN
    other = drafts.send_draft(a_draft(service), by=BY, limits=Limits())
    yes(other, bob)
    assert len(posted()) == 1
    with pytest.raises(answers.ApprovalRefused, match="It has begun"):
        answers.take_back(other, by=BY)


def test_stopping_everything_stops_what_waits():
    service = a_careful_service()
    send = a_send(service)
    assert control.at_stake(service).messages == 1
    assert control.stop(service, by=BY) == 1
    assert request_of(send).state == ApprovalState.WITHDRAWN


def half_gone(service) -> Send:
    """Approved, begun, and void since: some of it may have reached people."""
    draft = a_draft(service)
    send = drafts.send_draft(draft, by=BY, limits=Limits())
    yes(send, a_person("bob", service))
    ApprovalRequest.objects.update(begun_at=timezone.now())
    endings.void(send, ["sender"], by=BY)
    send.refresh_from_db()
    assert send.state == SendState.AWAITING
    return send


def test_what_has_gone_in_part_gives_no_draft_back_that_would_reach_people_twice():
    send = half_gone(a_careful_service())
    with pytest.raises(answers.ApprovalRefused, match="It has begun"):
        answers.take_back(send, by=BY)
    no(send, a_person("cem", send.service))
    send.refresh_from_db()
    assert (send.state, Draft.objects.get().send) == (SendState.CANCELLED, send)


def test_who_moves_a_send_does_not_approve_the_new_time():
    service = a_careful_service()
    due = timezone.now() + HOUR
    send, bob = a_send(service, due_at=due), a_person("bob", service)
    reschedule.reschedule(send, due_at=due + HOUR, by=acting(bob))
    with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
        yes(send, bob)
    assert yes(send, a_person("cem", service))


# --- times ------------------------------------------------------------------------------------------------------------------


def test_a_move_voids_the_approval_and_asks_again():
    service = a_careful_service()
    due = timezone.now() + HOUR
    send, bob = a_send(service, due_at=due), a_person("bob", service)
    yes(send, bob)
    reschedule.reschedule(send, due_at=due + HOUR, by=BY)
    assert send.state == SendState.AWAITING
    first, second = ApprovalRequest.objects.order_by("pk")
    assert (first.state, second.state, second.changed) == ("void", "open", ["due_at"])
    Slice.objects.update(due_at=timezone.now())
    assert posted() == []
    assert "send.approval_voided" in acts(send)


def test_a_request_expires_and_can_be_asked_again():
    service = a_careful_service()
    send, bob = a_send(service), a_person("bob", service)
    tomorrow = timezone.now() + 25 * HOUR
    with pytest.raises(answers.ApprovalRefused, match="time to answer is over"):
        yes(send, bob, now=tomorrow)
    assert endings.expire_due(now=timezone.now()) == 0
    assert endings.expire_due(now=tomorrow) == 1
    assert endings.expire_due(now=tomorrow) == 0
    with pytest.raises(answers.ApprovalRefused, match="the request is expired"):
        yes(send, bob, now=tomorrow)
    again = requests.ask_again(send, by=BY, now=tomorrow)
    assert requests.ask_again(send, by=BY, now=tomorrow) is None
    assert (again.previous.state, again.changed) == ("expired", [])
    assert yes(send, bob, now=tomorrow)


def test_an_approval_expires_where_the_send_has_not_begun_in_time():
    """Held for days, and then let go: nobody said yes to that."""
    service = a_careful_service()
    send, bob = a_send(service), a_person("bob", service)
    yes(send, bob)
    standing = holds.hold(send, by=BY, because="Wait.")
    ApprovalRequest.objects.update(expires_at=timezone.now())
    holds.lift(standing, by=BY)
    assert posted() == []  # before any round has looked
    send.refresh_from_db()
    assert send.state == SendState.AWAITING
    assert request_of(send).state == ApprovalState.EXPIRED


def test_a_send_that_has_begun_is_not_stopped_by_the_clock():
    service = a_careful_service()
    send, bob = a_send(service, 2), a_person("bob", service)
    yes(send, bob)
    now = timezone.now() + 100 * HOUR
    ApprovalRequest.objects.update(begun_at=timezone.now())
    assert endings.expire_due(now=now) == 0
    ApprovalRequest.objects.update(expires_at=timezone.now())
    assert len(posted()) == 2


def test_a_large_send_is_asked_about_once_its_messages_are_written():
    service = a_careful_service()
    order = large_order(service, 700, draft=None)
    send = create(order, by=BY)
    assert (send.state, send.approvers) == (SendState.PREPARING, 1)
    assert not ApprovalRequest.objects.exists()
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    request = request_of(send)
    assert send.state == SendState.AWAITING
    assert request.snapshot["recipients"] == send.recipients == 693
    assert request.asked_label == BY.label
    assert posted() == []
    assert yes(send, a_person("bob", service))
    assert len(posted()) == 693


def test_a_large_send_that_is_taken_back_while_it_is_written_asks_no_one():
    service = a_careful_service()
    send = create(large_order(service, 700), by=BY)
    assert answers.take_back(send, by=BY) is None
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    assert send.state == SendState.CANCELLED
    assert not ApprovalRequest.objects.exists()


# --- rules ------------------------------------------------------------------------------------------------------------------


def needed(order, **changes):
    now = changes.pop("now", timezone.now())
    ApprovalRules.objects.update_or_create(service=order.service, defaults=changes)
    return [reason.rule for reason in rules.needed_for(order, checks.check(order).lines, now=now).reasons]


def test_each_rule_speaks_of_its_own_cause():
    service = a_service()
    order = an_order(service, 3)
    assert needed(order, size=4, size_approvers=1) == []
    assert needed(order, size=3) == ["size"]
    assert needed(order, size=100, new_sender=2, new_country=1) == ["new_sender", "new_country"]
    nine = timezone.now().replace(hour=9, minute=0)
    hours = {"new_sender": 0, "new_country": 0, "outside_hours": 1, "hours": "08:00-18:00"}
    assert needed(order, now=nine, **hours) == []
    assert needed(order, now=nine.replace(hour=20)) == ["outside_hours"]
    assert needed(order, now=nine, hours="18:00-08:00") == ["outside_hours"]


def test_what_was_sent_once_is_new_no_more():
    from sms.reports import facts

    service = a_service()
    rules = {"new_sender": 1, "new_country": 1}
    a_send(service, due_at=timezone.now() + HOUR)
    assert needed(an_order(service), **rules) == ["new_sender", "new_country"]
    Slice.objects.update(due_at=timezone.now())
    posted()
    facts.fold()
    assert needed(an_order(service), **rules) == []
    assert needed(an_order(service, audience=numbers(1)), **rules) == []


def test_a_test_reaches_no_country():
    from sms.reports import facts

    service = a_service()
    a_send(service)
    Send.objects.update(test=True)
    posted()
    facts.fold()
    assert needed(an_order(service), new_country=1) == ["new_country"]
    ApprovalRules.objects.all().delete()
    a_send(service)
    posted()
    facts.fold()
    assert needed(an_order(service), new_country=1) == []


def test_the_largest_number_counts_and_too_few_are_said():
    service = a_service()
    a_person("bob", service)
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1, new_sender=2)
    order = an_order(service)
    wanted = rules.needed_for(order, checks.check(order).lines)
    assert (wanted.approvers, wanted.eligible) == (2, 1)
    assert "one person could approve, and 2 approvals are needed" in wanted.short


@pytest.mark.django_db(transaction=True)
def test_two_approvals_at_once_release_once():
    """On SQLite they come one after the other; on PostgreSQL each waits for the other's lock."""
    service = a_careful_service(2)
    send = a_send(service)
    people = [a_person(name, service) for name in ("bob", "eve")]
    gate, answers = threading.Barrier(2), []

    def answer(user):
        gate.wait()
        try:
            answers.append(yes(send, user))
        finally:
            connection.close()

    threads = [threading.Thread(target=answer, args=(user,)) for user in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, True]
    assert ApprovalDecision.objects.count() == 2
    assert AuditEvent.objects.filter(act="send.released").count() == 1
