"""A test of a draft is what the send would be, to few people who are known for it; and nothing else can pass as one."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from portal.models import User
from sms import reports
from sms.audiences import errors, packing, saved
from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.test_sends import make, rules
from sms.inbound import optouts
from sms.models import ApprovalRules, AuditEvent, Draft, Send, SendState, Service
from sms.reports import facts
from tests.support.approvals import acting
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service, numbers

pytestmark = pytest.mark.django_db
LIMITS = Limits()
MINE = "+447700900111"
ROWS = "number,name\n07700900001,Al\n07700900002,Alexandria the Great\n07700900003,\n"


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def ada():
    return User.objects.create_user("ada@example.test", "x", own_number=MINE)


def a_draft(service, **changes) -> Draft:
    fields = {
        "text": "Hi $(name)",
        "sender": service.senders.get(),
        "pasted": ROWS,
        "country": "GB",
    } | changes
    return Draft.objects.create(service=service, **fields)


def a_seed_list(service, count=3, name="Seeds"):
    text = "\n".join(f"07700 9002{place:02}" for place in range(count))
    made = saved.create(service, packing.pack_pasted(text, country="GB", limits=LIMITS), name=name, by=BY)
    saved.mark(made, seed_list=True, by=BY)
    return type(made).objects.get(pk=made.pk)


def try_out(draft, user, **options) -> Send:
    return make.send_test(
        draft, **{"row": None, "seeds": None, "by": acting(user), "limits": LIMITS} | options
    )


def refused(draft, user, **options) -> dict[str, str]:
    with pytest.raises(ComposeError) as caught:
        try_out(draft, user, **options)
    return {one.field: one.text for one in caught.value.problems}


def test_it_is_filled_from_the_longest_row_and_goes_to_ones_own_number_only(service, ada):
    draft = a_draft(service)
    send = try_out(draft, ada)
    message = send.messages.get()
    assert (message.msisdn, message.text) == (MINE, "Hi Alexandria the Great")
    assert (send.test, send.tested, send.created_by, send.state) == (True, draft, ada, SendState.SENDING)
    assert draft.tests.get() == send
    tested = AuditEvent.objects.get(act="draft.tested")
    assert tested.details["recipients"] == 1
    assert MINE not in str(tested.details)
    draft.refresh_from_db()
    assert draft.send is None
    assert try_out(draft, ada, row=2).messages.get().text == "Hi Al"
    assert "nothing for $(name)" in str(refused(draft, ada, row=4))
    assert "Row 99" in refused(draft, ada, row=99)["row"]


def test_a_test_is_posted_as_the_send_will_be(service, ada):
    draft = a_draft(service, callback_data="c-1", validity=600, ramp=True, name="Spring")
    try_out(draft, ada, row=2)
    drafts.send_draft(draft, by=acting(ada), limits=LIMITS)
    provider = Provider()
    provider.dispatch()
    alone = {"to", "correlationId"}
    test, *real = [
        {name: value for name, value in body.items() if name not in alone} for body in provider.bodies
    ]
    assert test in real


def test_a_seed_list_gets_it_each_person_once(service, ada):
    seeds = a_seed_list(service)
    send = try_out(a_draft(service), ada, seeds=seeds)
    assert sorted(send.messages.values_list("msisdn", flat=True)) == sorted(rules.numbers_in(seeds))
    assert send.source == "a test to Seeds"


def test_a_draft_without_recipients_is_tried_out_where_nothing_has_to_be_filled(service, ada):
    assert try_out(a_draft(service, pasted="", text="Hello"), ada).messages.get().text == "Hello"
    assert "$(name)" in refused(a_draft(service, pasted=""), ada)["text"]


def test_opted_out_is_opted_out_and_the_night_is_ones_own_to_lift(service, ada):
    Service.objects.update(quiet_hours="00:00-23:59")
    service.refresh_from_db()
    draft, seeds = a_draft(service), a_seed_list(service)
    assert try_out(draft, ada).quiet_hours == "00:00-23:59"
    assert try_out(draft, ada, at_night=True).quiet_hours == ""
    assert try_out(draft, ada, at_night=True, seeds=seeds).quiet_hours == "00:00-23:59", "a colleague sleeps"
    optouts.opt_out(service.pk, [optouts.Refusal(MINE)], by=BY, source="page")
    assert "opted out" in refused(draft, ada)["audience"]


def test_an_hour_has_a_hundred_messages_over_all_drafts_and_the_error_says_when(service, ada):
    seeds = a_seed_list(service, 50)
    draft = a_draft(service)
    try_out(draft, ada, seeds=seeds)
    assert try_out(a_draft(service), ada, seeds=seeds).recipients == 50
    assert "Try again after" in refused(draft, ada)["to"]
    other = User.objects.create_user("bob@example.test", "x", own_number="+447700900112")
    try_out(draft, other)
    Send.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    try_out(draft, ada)


def test_a_seed_list_holds_fifty_and_stays_so(service, ada):
    made = saved.create(
        service,
        packing.pack_pasted(
            "\n".join(f"077009{place:05}" for place in range(51)), country="GB", limits=LIMITS
        ),
        name="Many",
        by=BY,
    )
    with pytest.raises(errors.SavedError, match="50 people at most"):
        saved.mark(made, seed_list=True, by=BY)
    seeds = a_seed_list(service)
    with pytest.raises(errors.SavedError, match="50 people at most"):
        saved.replace(
            seeds,
            packing.pack_pasted(
                "\n".join(f"077009{place:05}" for place in range(51)), country="GB", limits=LIMITS
            ),
            by=BY,
        )
    saved.mark(seeds, seed_list=False, by=BY)
    assert "no seed list" in refused(a_draft(service), ada, seeds=seeds)["to"]


def test_reports_count_tests_and_separates_them(service, ada):
    a_send(service, 4)
    try_out(a_draft(service), ada, seeds=a_seed_list(service))
    facts.fold()
    today = Send.objects.latest("pk").due_at.date()
    made = reports.report(reports.ReportQuery(service.pk, service.facts_clock, today, today, by="test"))
    assert made.total.messages == 7, "a test costs what a message costs"
    assert {line.value: line.figures.messages for line in made.lines} == {"none": 4, "test": 3}
    alone = reports.report(
        reports.ReportQuery(service.pk, service.facts_clock, today, today, filters={"test": "none"})
    )
    assert alone.total.messages == 4


# --- nothing else passes as a test --------------------------------------------------------------------------------------


def an_order(service, user, *, seeds=None, draft=None, **changes):
    draft = draft or a_draft(service)
    found = make.sample(draft, row=None, limits=LIMITS)
    return replace(make.order_of(draft, found, user=user, seeds=seeds), **changes)


def no_test(order, **options) -> str:
    with pytest.raises(ComposeError) as caught:
        create(order, by=replace(BY, user=order.test_send.user), **options)
    assert not Send.objects.exists()
    return str(caught.value)


def test_a_test_reaches_only_its_allowed_numbers(service, ada):
    seeds = a_seed_list(service)
    strangers = replace(numbers(2), headings=["number", "name"])
    strangers = replace(
        strangers,
        recipients=[
            type(one)(row=one.row, msisdn=one.msisdn, substitutions={"name": "x"})
            for one in strangers.recipients
        ],
    )
    assert "own number" in no_test(an_order(service, ada, audience=strangers))
    assert "was changed since" in no_test(an_order(service, ada, seeds=seeds, audience=strangers))
    many = replace(strangers, recipients=strangers.recipients * 26)
    assert "own number" in no_test(an_order(service, ada, audience=many))
    foreign = a_seed_list(a_service(slug="other", name="Other"))
    assert "no seed list" in no_test(an_order(service, ada, seeds=foreign))
    elsewhere = a_draft(Service.objects.get(slug="other"))
    assert "another service" in no_test(
        replace(an_order(service, ada), test_send=rules.TestSend(elsewhere, ada))
    )
    assert "goes out now" in no_test(an_order(service, ada, due_at=timezone.now() + timedelta(hours=1)))
    claimed = an_order(service, ada)
    User.objects.update(own_number="+447700900999")
    assert "own number" in no_test(claimed), "what counts is the number as it stands now"


def test_no_user_is_no_person(service, ada):
    order = an_order(service, ada)
    assert "own number" in no_test(replace(order, test_send=rules.TestSend(order.test_send.draft, None)))


def test_a_test_asks_no_approver_and_makes_no_sender_known(service, ada):
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1, new_sender=1)
    assert try_out(a_draft(service), ada).state == SendState.SENDING
    Provider().dispatch()
    sent = drafts.send_draft(a_draft(service), by=acting(ada), limits=LIMITS)
    assert sent.state == SendState.AWAITING
    assert {one["rule"] for one in sent.approvals.get().rules} == {"size", "new_sender"}


def test_an_ordinary_send_is_no_test(service):
    assert not a_send(service).test


@pytest.mark.django_db(transaction=True)
def test_two_tests_at_once_count_each_other():
    service = a_service()
    user = User.objects.create_user("ada@example.test", "x", own_number=MINE)
    seeds, draft = a_seed_list(service, 50), a_draft(service)
    try_out(draft, user, seeds=seeds)
    outcomes, together = [], threading.Barrier(2)

    def once() -> None:
        try:
            connections["default"].ensure_connection()
            together.wait(60)
            outcomes.append(try_out(draft, user, seeds=seeds).recipients)
        except ComposeError:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(str, outcomes)) == ["50", "refused"]
