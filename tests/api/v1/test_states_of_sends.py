"""What a send is called: posted and settled told apart, and every loop that waits for an end comes to one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.compose import background
from sms.dispatch import claim
from sms.inbound import optouts, receipts
from sms.ledger import settled
from sms.models import (
    ApprovalRequest,
    ApprovalRules,
    Event,
    Message,
    MessageState,
    OptOut,
    Preparation,
    Send,
    StateCount,
)
from sms.sends import answers
from tests.support.approvals import a_person, acting, request_of
from tests.support.callbacks import an_endpoint, comes_in
from tests.support.dispatching import Dispatcher, release, states
from tests.support.drop_in import body, post
from tests.support.jobs import run_job
from tests.support.partners import a_key, a_partner
from tests.support.provider import Provider, raw_reply, refused
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
TWO = ["+447700900101", "+447700900102"]


@pytest.fixture
def desk(django_capture_on_commit_callbacks):
    return Desk(django_capture_on_commit_callbacks)


class Desk:
    """A partner's send, and what a running desk would do with it: what comes after a commit is done as well."""

    def __init__(self, committed) -> None:
        self.committed = committed
        self.service, self.partner = a_partner()
        self.send: Send = None

    def make(self, **changes) -> dict:
        order = {"text": "Hello", "recipients": TWO} | changes
        answer = self.partner.post("sends", order, Idempotency_Key="k1")
        assert answer.status_code == 201, answer.content
        self.send = Send.objects.latest("pk")
        return answer.json()

    def dispatch(self, answer=None) -> None:
        with self.committed(execute=True):
            (Provider(answer) if answer else Provider()).dispatch(clients=1)

    def hear(self, *messages: Message, **receipt) -> None:
        for message in messages:
            comes_in(message, **receipt)
        with self.committed(execute=True):
            receipts.fold()

    def do(self, act, *args, **named):
        with self.committed(execute=True):
            return act(*args, **named)

    @property
    def messages(self) -> list[Message]:
        return list(self.send.messages.select_related("send__service").order_by("pk"))

    def shown(self, *names: str) -> tuple:
        answer = self.partner.get(f"sends/{self.send.pk}").json()
        return tuple(answer[name] for name in names or ("state", "outstanding"))

    @property
    def waits_for_people(self) -> bool:
        (waits,) = self.shown("waits")
        return any(one["code"] in ("approval", "pause", "trouble") for one in waits)


def posted_ago(send: Send, by: timedelta) -> None:
    """As if it had been posted that long ago, in its rows and in the counters by window."""
    for message in Message.objects.filter(send=send, posted_at__isnull=False):
        Message.objects.filter(pk=message.pk).update(posted_at=message.posted_at - by)
    for count in StateCount.objects.filter(send=send, window__gt=0):
        moved = count.window - int(by.total_seconds()) // StateCount.WINDOW
        StateCount.objects.filter(pk=count.pk).update(window=moved)


def test_a_send_is_posted_and_then_settled_and_nothing_takes_that_back(desk):
    an_endpoint(desk.service)
    made = desk.make()
    assert (made["state"], made["outstanding"], made["settled_at"]) == ("sending", 2, None)
    desk.dispatch()
    assert desk.shown("state", "outstanding", "settled_at") == ("posted", 2, None)
    (posted_at,) = desk.shown("posted_at")
    assert posted_at
    first, second = desk.messages
    desk.hear(first)
    assert desk.shown() == ("posted", 1)
    desk.hear(second, code="7201", status="Un-Delivered")
    assert desk.shown("state", "outstanding", "counts") == ("settled", 0, {"delivered": 1, "failed": 1})
    (settled_at,) = desk.shown("settled_at")
    desk.hear(second)  # it arrived after all
    assert desk.shown("state", "counts", "settled_at") == ("settled", {"delivered": 2}, settled_at)
    told = Event.objects.filter(type__startswith="send.").order_by("pk").values_list("type", "data__state")
    assert list(told) == [("send.posted", "posted"), ("send.settled", "settled")]


def test_lists_are_narrowed_by_the_states_that_are_shown(desk):
    wanted = {}
    desk.make()
    desk.dispatch()
    desk.hear(*desk.messages)
    wanted["settled"] = desk.send.pk
    for state, changes in {"posted": {}, "scheduled": {"send_at": "2090-01-01T00:00:00Z"}}.items():
        answer = desk.partner.post(
            "sends", {"text": "Hello", "recipients": TWO} | changes, Idempotency_Key=state
        )
        wanted[state] = answer.json()["id"]
        desk.dispatch()
    for state, pk in wanted.items():
        assert [one["id"] for one in desk.partner.get(f"sends?state={state}").json()["items"]] == [pk], state
    assert desk.partner.get("sends?state=finished").status_code == 400


def test_receipts_that_are_faster_than_the_answer_settle_it_when_it_is_posted(desk):
    desk.make(recipients=TWO[:1])
    dispatcher = Dispatcher(desk.send, "one")
    dispatcher.arm(1)
    desk.hear(*desk.messages)
    assert desk.shown() == ("sending", 0)
    desk.do(claim.finish, dispatcher.lease, owner=dispatcher.owner)
    assert desk.shown() == ("settled", 0)


def test_what_a_process_that_died_left_is_noticed_by_the_next(desk):
    desk.make()
    Provider().dispatch()
    for message in desk.messages:
        comes_in(message)
    receipts.fold()  # and nothing after its commit
    assert desk.shown() == ("posted", 0)
    run_job("settled sends")
    assert desk.shown() == ("settled", 0)
    assert settled.look_again(newest=None) == 0


# --- Every case in which a loop waits for an end ---------------------------------------------------------------------------
def test_a_large_send_counts_all_its_recipients_from_the_first_moment(desk):
    made = desk.make(recipients=[f"+44771{at:07d}" for at in range(5_001)])
    assert (made["state"], made["outstanding"], made["counts"]) == ("preparing", 5_001, {"pending": 5_001})
    optouts.opt_out(
        desk.service.pk, [optouts.Refusal("+447710000007", "said so")], by=BY, source=OptOut.Source.PAGE
    )
    background.run(stopped=lambda: False)
    assert desk.shown("state", "outstanding", "counts", "rejected") == (
        "sending",
        5_000,
        {"pending": 5_000},
        1,
    )
    desk.do(desk.partner.post, f"sends/{desk.send.pk}/stop")
    assert desk.shown() == ("cancelled", 0)


def test_a_large_send_of_which_nobody_is_left_is_settled(desk):
    desk.make(recipients=[f"+44771{at:07d}" for at in range(5_001)])
    refusals = [optouts.Refusal(f"+44771{at:07d}", "said so") for at in range(5_001)]
    optouts.opt_out(desk.service.pk, refusals, by=BY, source=OptOut.Source.PAGE)
    desk.do(background.run, stopped=lambda: False)
    assert desk.shown("state", "outstanding", "recipient_count") == ("settled", 0, 0)


def test_writing_that_failed_waits_for_people_and_says_so(desk):
    desk.make(recipients=[f"+44771{at:07d}" for at in range(5_001)])
    assert not desk.waits_for_people
    Preparation.objects.update(
        state=Preparation.State.FAILED, trouble="The disk is full.", ended_at=timezone.now()
    )
    assert desk.shown()[0] == "preparing" and desk.waits_for_people


@pytest.mark.parametrize("held_first", [False, True])
def test_cancelled_before_and_after_it_was_posted(desk, held_first):
    desk.make()
    if held_first:
        desk.partner.post(f"sends/{desk.send.pk}/pause")
        assert desk.waits_for_people
    desk.do(desk.partner.post, f"sends/{desk.send.pk}/stop")
    assert desk.shown("state", "outstanding", "counts") == ("cancelled", 0, {"cancelled": 2})
    assert desk.shown("settled_at") != (None,)


def test_stopped_while_some_of_it_is_on_its_way(desk):
    """It is cancelled at once, and its figures say when the rest has ended."""
    desk.make()
    first = desk.messages[0]
    Message.objects.filter(pk=first.pk).update(attempt=1, posted_at=timezone.now(), state="queued")
    StateCount.objects.create(send=desk.send, state="pending", delta=-1)
    StateCount.objects.create(send=desk.send, state="queued", window=1, delta=1)
    desk.do(desk.partner.post, f"sends/{desk.send.pk}/stop")
    assert desk.shown("state", "outstanding", "settled_at") == ("cancelled", 1, None)
    desk.hear(first)
    assert desk.shown() == ("cancelled", 0) and desk.shown("settled_at") != (None,)


def test_refused_by_the_provider(desk):
    desk.make()
    desk.dispatch(lambda _: refused("7102"))
    assert desk.shown("state", "outstanding", "counts") == ("settled", 0, {"failed": 2})


def test_unconfirmed_ends_after_the_services_hours(desk):
    desk.make()
    desk.dispatch(lambda _: raw_reply(503))
    assert desk.shown()[1] == 2
    posted_ago(desk.send, timedelta(hours=5))
    desk.do(dispatch.end_unproven)
    assert desk.shown() == ("sending", 0)
    release(desk.send)  # which comes by itself: the slice was to be looked at again
    desk.dispatch()
    assert desk.shown("state", "outstanding", "counts") == ("settled", 0, {"failed": 2})


def test_no_report_ends_after_three_days(desk):
    desk.make()
    desk.dispatch()
    posted_ago(desk.send, timedelta(hours=73))
    desk.do(receipts.note_silence)
    assert desk.shown("state", "outstanding", "counts") == ("settled", 0, {"no_report": 2})


def test_expired_before_it_was_posted(desk):
    desk.make(expires_at=(timezone.now() + timedelta(hours=1)).isoformat())
    Send.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    desk.dispatch()
    assert desk.shown("state", "outstanding", "counts") == ("settled", 0, {"expired": 2})


@pytest.mark.parametrize("ending", ["refused", "expired", "approved too late"])
def test_a_send_of_a_program_that_is_not_approved_is_cancelled(desk, ending):
    ApprovalRules.objects.create(service=desk.service, size=1, size_approvers=1)
    desk.make()
    assert desk.shown()[0] == "awaiting" and desk.waits_for_people
    bob = a_person("bob", desk.service)
    request = request_of(desk.send)
    if ending == "refused":
        desk.do(answers.reject, request, by=acting(bob), seen=request.fingerprint, comment="No.")
    else:
        if ending == "approved too late":
            desk.partner.post(f"sends/{desk.send.pk}/pause")
            answers.approve(request, by=acting(bob), seen=request.fingerprint)
        ApprovalRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        desk.do(run_job, "approvals that expire")
    assert desk.shown("state", "outstanding", "counts") == ("cancelled", 0, {"cancelled": 2})


def test_a_persons_send_that_was_not_approved_in_time_can_be_asked_again(desk):
    ApprovalRules.objects.create(service=desk.service, size=1, size_approvers=1)
    desk.make()
    Send.objects.update(partner="")
    ApprovalRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    run_job("approvals that expire")
    assert desk.shown()[0] == "awaiting"
    assert request_of(desk.send).state == "expired"


def test_a_request_of_the_drop_in_that_fails_at_once(desk):
    numbers = ["+447700900101"]
    optouts.opt_out(desk.service.pk, [optouts.Refusal(numbers[0], "no")], by=BY, source=OptOut.Source.PAGE)
    with desk.committed(execute=True):
        answer = post(a_key(desk.service), body("447700900101"))
    desk.send = Send.objects.get(reference=answer.json()["messageId"])
    assert states(desk.send) == {MessageState.FAILED: 1}
    desk.dispatch()
    assert desk.shown() == ("settled", 0)
    assert not Event.objects.filter(type="send.settled").exists(), "its messages say it"
