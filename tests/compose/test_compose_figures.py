"""An order's figures and limits: the survey of its rows as a whole, and each limit of a compose step just kept and just broken."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from portal.models import User
from sms.audiences import storage
from sms.audiences.files import Limits, read_pasted
from sms.compose import background, checks, labels, options
from sms.compose.background import work
from sms.compose.create import create
from sms.compose.errors import ComposeError
from sms.compose.lines import Composer
from sms.compose.resolved_order import resolve
from sms.compose.survey import Surveyor
from sms.compose.test_sends import rules as test_rules
from sms.inbound import optouts
from sms.models import (
    AudienceVersion,
    Draft,
    Label,
    Message,
    Preparation,
    Receipts,
    Resend,
    Send,
    SendState,
    Upload,
)
from sms.models.label import LABEL_LENGTH
from tests.support.large_audiences import (
    a_draft,
    finished,
    large_order,
    one_block,
    people,
    reading_of,
)
from tests.support.sends import BY, PROVED, a_send, a_service, an_order, numbers

pytestmark = pytest.mark.django_db


# --- the survey ---------------------------------------------------------------------------------------------------------
ROWS = """number,name
+447710000001,Ann
+447710000002,Christopher
12,Bad
+447710000003,
+447710000001,Ann
+33612345678,Żoe
+447710000004,Dora
"""


def an_audience(text: str = ROWS, **more):
    return read_pasted(text, country="GB", limits=Limits(), **more)


def test_a_survey_of_a_few_rows_in_every_figure():
    service = a_service()
    optouts.opt_out(service.pk, [optouts.Refusal("+447710000004")], by=BY, source="page")
    found = checks.survey(
        resolve(an_order(service, audience=an_audience(), content="Hi $(name)" + "!" * 150))
    )
    assert (found.recipients, found.rejected, found.rows) == (3, 4, 7)
    assert (found.segments, found.total, found.worst, found.typical) == ({1: 1, 2: 1, 3: 1}, 6, 3, 2)
    assert (found.gsm7, found.ucs2, found.unknown, found.long, found.warned) == (2, 1, 0, 0, found.warned)
    assert found.countries == {"GB": (2, 3, 3), "FR": (1, 3, 3)}
    assert found.recipients_by_country() == {"GB": 2, "FR": 1}
    assert sorted((str(one.code), one.count, list(one.rows)) for one in found.removed) == [
        ("duplicate", 1, [6]),
        ("missing_value", 1, [5]),
        ("opted_out", 1, [8]),
        ("too_short", 1, [4]),
    ]
    assert [bad.row for bad in found.bad] == [4, 5, 6, 8]
    assert [line.row for line in found.head] == [2, 3, 7]
    assert [line.row for line in found.longest] == [7, 3, 2]
    assert found.groups == [()] and found.stages == [{0: 3}] and found.places == b""


@pytest.mark.parametrize(("letters", "long"), [(450, 0), (451, 1)])
def test_a_text_is_long_from_451_characters(letters, long):
    found = checks.survey(an_order(a_service(), 1, content="x" * letters))
    assert found.long == long


def test_a_survey_keeps_the_first_rows_and_the_longest_messages_only():
    text = "number,name\n" + "\n".join(f"+44771{at:07d},{'x' * (at % 50)}" for at in range(130))
    bad = "\n".join(["12,"] * 120)
    found = checks.survey(
        resolve(an_order(a_service(), audience=an_audience(f"{text}\n{bad}"), content="Hi $(name)"))
    )
    assert [line.row for line in found.head] == [3, 4, 5, 6, 7], "row 2 has no name"
    assert len(found.longest) == 10
    lengths = [len(line.text) for line in found.longest]
    assert lengths == sorted(lengths, reverse=True) and lengths[0] == 3 + 49
    ties = [line.row for line in found.longest if len(line.text) == 3 + 49]
    assert ties == sorted(ties), "of equal ones the first"
    assert len(found.bad) == 100 and [one.row for one in found.bad] == sorted(one.row for one in found.bad)
    assert all(len(one.rows) <= 100 for one in found.removed)
    assert sum(one.count for one in found.removed) == found.rejected > 100


def test_a_survey_in_blocks_is_the_survey_of_the_whole():
    service = a_service(quiet_hours="21:00-08:00")
    order = resolve(an_order(service, audience=numbers(300), options=options.asking_for(ramp=True)))
    whole = checks.survey(order)
    lines, rejects = Composer(order).lines(order.audience.recipients)
    surveyor = Surveyor(order)
    surveyor.add(lines[:100], [])
    half = surveyor.so_far()
    assert (half.recipients, sum(half.segments.values()), half.countries["GB"][0]) == (100, 100, 100)
    again = Surveyor(order, so_far=half)
    again.add(lines[100:], rejects)
    assert again.finish() == whole
    assert [sum(stage.values()) for stage in whole.stages] == [3, 27, 270]
    assert [sum(stage.values()) for stage in whole.staged()] == [3, 27, 270]


def test_no_recipient_left_says_why():
    with pytest.raises(ComposeError):
        checks.survey(an_order(a_service(), audience=an_audience("number\n12\n13")))


# --- rows ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("limit", "fits"), [(11, True), (10, False)])
def test_a_text_is_judged_with_its_values(limit, fits):
    service = a_service(text_limit=limit)
    order = resolve(
        an_order(service, audience=an_audience("number,name\n+447710000001,Dora Lee"), content="Hi $(name)")
    )
    lines, rejects = Composer(order).lines(order.audience.recipients)
    assert [line.text for line in lines] == (["Hi Dora Lee"] if fits else [])
    assert [(bad.row, bad.value, bad.reason) for bad in rejects] == (
        [] if fits else [(2, "+447710000001", "The text would have 11 characters; 10 are allowed.")]
    )


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"batch_size": 1} | PROVED, {}),
        ({"batch_size": 2}, {}),
        ({"batch_size": 2} | PROVED, {"name": "Ann"}),
    ],
)
def test_values_are_kept_where_the_provider_fills_in_a_request_of_several(fields, kept):
    send = a_send(
        a_service(**fields),
        audience=an_audience("number,name\n+447710000001,Ann"),
        content="Hi $(name)",
    )
    message = Message.objects.get(send=send)
    assert (message.text, message.substitutions, message.row, message.segments) == ("Hi Ann", kept, 2, 1)


def test_a_row_without_a_value_or_with_one_like_a_placeholder_is_left_out():
    order = resolve(
        an_order(
            a_service(),
            audience=an_audience("number,name\n+447710000001,\n+447710000002,$(x)\n"),
            content="Hi $(name)",
        )
    )
    lines, rejects = Composer(order).lines(order.audience.recipients)
    assert lines == []
    assert [bad.reason for bad in rejects] == [
        "This row has nothing for $(name).",
        "A value of this row reads like a placeholder: $(x). Write it another way.",
    ]


# --- options ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, []),
        ({"resend": Resend.ALWAYS}, ["expires_at"]),
        ({"resend": Resend.ALWAYS, "expires_at": True}, []),
        ({"resend": Resend.EVIDENCE}, []),
        ({"resend": Resend.EVIDENCE, "receipts": Receipts.DELIVERED}, ["receipts"]),
        ({"resend": Resend.EVIDENCE, "receipts": Receipts.FAILED | Receipts.DELIVERED}, []),
        ({"ramp": True, "receipts": Receipts.FAILED}, ["receipts"]),
        ({"ramp": True}, []),
        ({"validity": 60}, []),
        ({"validity": 0}, ["validity"]),
        ({"validity": 259_200}, []),
        ({"validity": 259_201}, ["validity"]),
        ({"tag1": "a b"}, ["tag1"]),
        ({"tag2": "x" * 51}, ["tag2"]),
        ({"tag1": "x" * 50, "tag2": "a_-9"}, []),
        ({"validity": 60, "expires_at": True}, ["validity"]),
    ],
)
def test_what_cannot_be_asked_for_together(fields, found):
    if fields.get("expires_at"):
        fields = fields | {"expires_at": timezone.now() + timedelta(hours=1)}
    assert [problem.field for problem in options.problems(options.asking_for(**fields))] == found


def test_receipts_that_are_missing():
    usual = options.asking_for()
    assert not options.missing_receipts(usual)
    few = options.asking_for(receipts=Receipts.DELIVERED)
    assert Receipts.CLICKED in options.missing_receipts(
        few
    ) and Receipts.DELIVERED not in options.missing_receipts(few)
    untracked = options.asking_for(receipts=Receipts.DELIVERED, track_clicks=False)
    assert Receipts.CLICKED not in options.missing_receipts(untracked)


# --- labels -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("there", "new", "fits"), [(298, 2, True), (299, 2, False), (300, 1, False), (300, 0, True)]
)
def test_a_service_has_three_hundred_labels(there, new, fits):
    service = a_service()
    Label.objects.bulk_create([Label(service=service, word=f"w{at}") for at in range(there)])
    words = [f"n{at}" for at in range(new)] or ["w1"]
    assert (list(labels.problems(service, words)) == []) == fits


@pytest.mark.parametrize(("count", "fits"), [(10, True), (11, False)])
def test_a_send_takes_ten_labels(count, fits):
    found = [str(one) for one in labels.problems(a_service(), [f"w{at}" for at in range(count)])]
    assert (found == []) == fits
    assert list(labels.problems(a_service(slug="b", name="B"), ["same"] * 11)) == []


@pytest.mark.parametrize("letters", [LABEL_LENGTH, LABEL_LENGTH + 1, LABEL_LENGTH + 10, LABEL_LENGTH + 11])
def test_a_label_that_is_too_long_is_named_by_its_beginning(letters):
    written = "x" * (letters - 1) + "y"
    if letters <= LABEL_LENGTH:
        assert labels.normalized(f" {written} ") == written
        return
    with pytest.raises(labels.BadLabel) as refused:
        labels.normalized(f" {written} ")
    shown = written[: LABEL_LENGTH + 10]
    assert str(refused.value) == f"The label “{shown}” is longer than {LABEL_LENGTH} characters. Shorten it."


# --- background work ----------------------------------------------------------------------------------------------------
def test_reading_comes_before_writing_and_else_the_oldest_first():
    service = a_service()
    sends = [create(large_order(service), by=BY) for _ in range(2)]
    assert work._next() == sends[0].preparation.pk
    draft = a_draft(service, people(3_000))
    reading = reading_of(draft)
    assert work._next() == reading.pk
    Preparation.objects.update(owner="x", leased_until=timezone.now() + timedelta(hours=1))
    assert work._next() is None and not background.has_work()


def test_a_large_send_is_opened_with_its_figures_and_wakes_the_dispatchers(
    django_capture_on_commit_callbacks,
):
    send = create(large_order(a_service(), 2_500), by=BY)
    one_block(send)
    half = Preparation.objects.get()
    assert half.began_at is not None and half.rows == send.messages.count() + send.rejects.count() > 0
    assert (half.state, half.owner, half.cursor["place"]) == ("waiting", "", 1)
    OrmQ.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert background.run(stopped=lambda: False) == 1
    assert OrmQ.objects.count() == 1
    send.refresh_from_db()
    found = Preparation.objects.get()
    assert (send.state, send.recipients, send.rejected) == (SendState.SENDING, 2_475, 25)
    assert (found.state, found.rows, found.ended_at is not None) == ("ready", 2_500, True)
    assert background.run(stopped=lambda: False) == 0


def test_a_send_whose_every_recipient_opted_out_since_is_over(django_capture_on_commit_callbacks):
    service = a_service()
    send = create(large_order(service, 2_500), by=BY)
    blocks = storage.StoredAudience(send.audience).blocks()
    numbers_ = [one.msisdn for block in blocks for one in block.recipients]
    optouts.opt_out(service.pk, [optouts.Refusal(one) for one in numbers_], by=BY, source="csv")
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    assert (send.state, send.recipients, send.rejected) == (SendState.FINISHED, 0, 2_500)


def test_a_check_counts_every_row_once():
    draft = a_draft(a_service(), people(3_000))
    finished(draft)
    found = Preparation.objects.get(kind="check")
    assert (found.rows, found.done, found.total, bytes(found.partial), found.state) == (
        3_000,
        3_000,
        3_000,
        b"",
        "ready",
    )
    reading = Preparation.objects.get(kind="read")
    assert (reading.state, reading.done, reading.total) == ("ready", reading.total, draft.upload.size)


def test_work_that_is_stopped_is_free_for_the_next_one_and_work_that_is_leased_is_left_alone():
    send = create(large_order(a_service()), by=BY)
    assert not background.work_on(send.preparation.pk, stopped=lambda: True)
    assert Preparation.objects.get().owner == ""
    Preparation.objects.update(owner="x", leased_until=timezone.now() + timedelta(hours=1))
    assert not background.work_on(send.preparation.pk)
    assert Preparation.objects.get().owner == "x"
    Preparation.objects.update(owner="", leased_until=None)
    assert not background.work_on(send.preparation.pk, seconds=-1.0), "its time is over after a step"
    assert background.work_on(send.preparation.pk)


@pytest.mark.parametrize(("minutes", "gone"), [(59, 0), (61, 1)])
def test_rows_that_nothing_points_to_are_deleted_after_an_hour(minutes, gone):
    draft = a_draft(a_service(), people(3_000))
    finished(draft)
    Draft.objects.update(version=None, upload=None)
    AudienceVersion.objects.update(made_at=timezone.now() - timedelta(minutes=minutes))
    assert background.delete_unused_versions() == gone
    assert (AudienceVersion.objects.count(), Upload.objects.count()) == (1 - gone, 1 - gone)


# --- tests of a draft ---------------------------------------------------------------------------------------------------
def test_a_person_has_a_hundred_test_messages_an_hour():
    service = a_service()
    ada = User.objects.create_user("ada@example.test", "x", own_number="+447700900111")
    now = timezone.now()
    send = a_send(service, 1)
    Send.objects.filter(pk=send.pk).update(
        test=True, created_by=ada, recipients=60, rejected=0, created_at=now
    )
    assert test_rules.left_this_hour(ada, now=now) == 40
    assert test_rules.left_this_hour(ada, now=now + timedelta(minutes=59)) == 40
    assert test_rules.left_this_hour(ada, now=now + timedelta(minutes=61)) == 100
    assert [list(test_rules._too_many(ada, count, now=now)) == [] for count in (40, 41)] == [True, False]


@pytest.mark.parametrize(("count", "fits"), [(50, True), (51, False)])
def test_a_test_goes_to_fifty_at_most(count, fits):
    service = a_service()
    ada = User.objects.create_user("ada@example.test", "x", own_number="+447710000000")
    draft = Draft.objects.create(service=service)
    to = [f"+44771{at:07d}" for at in range(count)]
    test = test_rules.TestSend(draft, ada)
    found = test_rules.problems(test, service=service, numbers=to, due_at=None, now=timezone.now())
    says = [str(one) for one in found]
    assert any("at most" in one for one in says) is not fits
    mine = test_rules.problems(
        test, service=service, numbers=["+447710000000"], due_at=None, now=timezone.now()
    )
    assert list(mine) == []
    late = test_rules.problems(
        test, service=service, numbers=["+447710000000"], due_at=timezone.now(), now=timezone.now()
    )
    assert [one.field for one in late] == ["send_at"]
