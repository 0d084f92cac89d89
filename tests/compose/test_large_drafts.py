"""Drafts with many rows: read once, checked once, both in pieces that survive a kill, and the figures are those of a small one."""

import io
import random
from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.audiences import storage
from sms.audiences.files import read
from sms.audiences.files.rows import Audience
from sms.compose import background, checks, drafts
from sms.compose.errors import ComposeError
from sms.compose.lines import Composer
from sms.compose.resolved_order import resolve
from sms.compose.survey import Surveyor
from sms.inbound import optouts
from sms.models import (
    AudienceVersion,
    Draft,
    OptOut,
    Preparation,
    Send,
    Sender,
    SenderKind,
    Upload,
)
from tests.support.large_audiences import LIMITS, a_draft, again, finished, killed, people, reading_of
from tests.support.sends import BY, a_service, an_order

pytestmark = pytest.mark.django_db


def test_a_large_file_is_read_in_pieces_and_every_row_is_there_once_whatever_breaks_off():
    draft = a_draft(a_service(), people(3_000))
    work = reading_of(draft)
    for after in (1, 2, 3):  # each begins with what is there
        killed(work, after=after)
    background.run(stopped=lambda: False)
    version = again(draft).version
    whole = read(io.BytesIO(people(3_000)), name="", country="GB", limits=LIMITS)
    kept = [one for block in storage.StoredAudience(version).blocks() for one in block.recipients]
    rejects = [one for block in storage.StoredAudience(version).blocks() for one in block.rejects]
    assert kept == whole.recipients
    assert sorted(rejects, key=lambda one: one.row) == whole.rejects
    assert (version.recipients, version.rejected) == (len(kept), len(rejects))
    assert version.digest == storage.digest_of(whole)
    assert (version.column, version.headings) == (whole.column, whole.headings)


def test_first_good_and_bad_rows_are_known_after_the_first_piece():
    draft = a_draft(a_service(), people(5_000))
    killed(reading_of(draft))
    version = again(draft).version
    good, bad = drafts.first_stored_rows(version, 10)
    assert (good[0].row, bad[0].row, bad[0].code) == (2, 101, "too_short")
    assert version.ready_at is None and version.headings == ["Mobile number", "Customer", "Note"]


def test_a_check_goes_on_where_it_was_killed_and_comes_to_the_same(monkeypatch):
    from sms.compose.background import check

    monkeypatch.setattr(check, "STORE_EVERY", 0.0)
    draft = a_draft(a_service(), people(3_000))
    background.run(stopped=lambda: False) if reading_of(draft) else None
    looked = drafts.totals_of(again(draft), limits=LIMITS)
    assert looked.figures is None
    killed(looked.preparation)
    half = Preparation.objects.get(pk=looked.preparation.pk)
    assert half.cursor["place"] == 1 and half.partial
    found = finished(draft).figures
    whole = read(io.BytesIO(people(3_000)), name="", country="GB", limits=LIMITS)
    order = replace(looked.order, audience=whole)
    assert found == checks.survey(order)


def test_an_edit_restarts_the_check_and_the_file_is_not_read_twice():
    draft = a_draft(a_service(), people(3_000))
    first = finished(draft)
    Draft.objects.filter(pk=draft.pk).update(text="Dear $(Customer), hello")
    looked = drafts.totals_of(again(draft), limits=LIMITS)
    assert looked.stale and looked.figures == first.figures, "the old figures, and it says so"
    assert AudienceVersion.objects.count() == 1
    with pytest.raises(drafts.NotReady):
        drafts.send_draft(again(draft), by=BY, limits=LIMITS)
    second = finished(draft)
    assert not second.stale and second.figures.head[0].text == "Dear Person 0, hello"


def test_an_edit_while_it_is_checked_leaves_no_figures_of_before():
    draft = a_draft(a_service(), people(3_000))
    killed(reading_of(draft))
    background.run(stopped=lambda: False)
    under_way = drafts.totals_of(again(draft), limits=LIMITS).preparation
    killed(under_way)
    Draft.objects.filter(pk=draft.pk).update(text="Other")
    background.work_on(under_way.pk)
    assert not Preparation.objects.get(pk=under_way.pk).result
    assert finished(draft).figures.head[0].text == "Other"


def test_what_the_check_found_becomes_the_send_and_a_second_press_finds_it():
    draft = a_draft(a_service(), people(3_000))
    figures = finished(draft).figures
    send = drafts.send_draft(again(draft), by=BY, limits=LIMITS)
    assert drafts.send_draft(again(draft), by=BY, limits=LIMITS) == send
    background.run(stopped=lambda: False)
    send.refresh_from_db()
    assert (send.recipients, send.rejected) == (figures.recipients, figures.rejected) == (2_967, 33)
    assert Send.objects.count() == 1 and send.messages.count() == 2_967


def test_stopped_it_waits_until_it_is_resumed():
    draft = a_draft(a_service(), people(3_000))
    killed(reading_of(draft))
    assert drafts.stop_preparing(again(draft)) and not background.has_work()
    assert reading_of(draft).state == "cancelled"
    assert drafts.resume_preparing(again(draft))
    assert finished(draft).figures.rows == 3_000


def test_a_file_without_numbers_says_so_at_its_field():
    draft = a_draft(a_service(), b"a,b\n" + b"one,two\n" * 30_000)
    background.work_on(reading_of(draft).pk)
    with pytest.raises(ComposeError) as caught:
        drafts.totals_of(again(draft), limits=LIMITS)
    assert caught.value.problems[0].field == "column" and "a, b" in str(caught.value)


def test_a_large_paste_and_a_large_saved_audience_go_the_same_way():
    service = a_service()
    pasted = "\n".join(f"+44771{at:07d}" for at in range(15_000))
    draft = Draft.objects.create(service=service, sender=service.senders.first(), text="Hello", pasted=pasted)
    assert finished(draft).figures.recipients == 15_000
    Draft.objects.filter(pk=draft.pk).update(pasted=pasted + "\n+447720000000")
    assert finished(draft).figures.recipients == 15_001


def test_rows_that_were_put_right_join_the_others_and_the_rest_is_shown_again():
    draft = a_draft(a_service(), people(3_000))
    finished(draft)
    lines = "".join(drafts.draft_rejects_csv(again(draft), limits=LIMITS)).splitlines()
    assert lines[0].removeprefix("\ufeff") == "rejected row,rejected because,Mobile number,Customer,Note"
    assert len(lines) == 34
    bad = [line.split(",") for line in lines[1:]]
    first, second = (row for row in bad if row[0] in ("101", "201"))
    mended = [
        lines[0],
        f"{first[0]},,07720000001,Mended One,y",
        f"{second[0]},,still bad,{second[3]},y",
        ",,07720000002,A new row,y",
    ]
    drafts.add_corrections(
        again(draft), "\n".join(mended).encode(), name="mended.csv", limits=LIMITS, user=None
    )
    found = finished(draft).figures
    assert (found.recipients, found.rejected) == (2_969, 32)
    rows = {
        one.row: one
        for block in storage.StoredAudience(again(draft).version).blocks()
        for one in block.recipients
    }
    assert rows[101].substitutions == {"Customer": "Mended One", "Note": "y"}
    assert rows[3_002].msisdn == "+447720000002"
    told = "".join(drafts.draft_rejects_csv(again(draft), limits=LIMITS))
    assert "still bad" in told and ",Person 99," not in told
    draft = again(draft)
    drafts.add_corrections(
        draft,
        b"rejected row,Mobile number,Customer\n201,07720000003,Third\n",
        name="m",
        limits=LIMITS,
        user=None,
    )
    assert finished(draft).figures.recipients == 2_970


def test_a_few_rows_can_be_put_right_too_and_a_number_stays_once():
    draft = a_draft(a_service(), b"number,Customer\n07700900123,Ada\n12,Bob\n13,Cy\n")
    with pytest.raises(drafts.NotReady):
        drafts.add_corrections(again(draft), b"x", name="m.csv", limits=LIMITS, user=None)
    background.run(stopped=lambda: False)
    content = b"rejected row,number,Customer\n3,07700900123,Bob\n4,07700900124,Cy\n"
    drafts.add_corrections(again(draft), content, name="m.csv", limits=LIMITS, user=None)
    figures = finished(draft).figures
    assert (figures.recipients, [one.text for one in figures.removed]) == (
        2,
        ["1 row repeats an earlier number"],
    )
    assert figures.bad[0].reason == "The same number is already in row 2."


def test_the_same_file_is_noticed_and_sent_again_only_when_that_is_meant():
    service = a_service()
    content = b"number\n07700900123\n07700900124\n"
    drafts.send_draft(a_draft(service, content, text="Hello"), by=BY, limits=LIMITS)
    twin = a_draft(service, content, text="Other words")
    with pytest.raises(ComposeError, match="already sent") as caught:
        drafts.send_draft(again(twin), by=BY, limits=LIMITS)
    assert caught.value.problems[0].field == "again"
    assert drafts.send_draft(again(twin), by=BY, limits=LIMITS, again=True)
    pasted = Draft.objects.create(
        service=service, sender=service.senders.first(), text="Hello", pasted="07700900123\n07700900124"
    )
    with pytest.raises(ComposeError, match="already sent"):
        drafts.send_draft(again(pasted), by=BY, limits=LIMITS)
    Draft.objects.filter(pk=pasted.pk).update(text="News of today")
    assert drafts.send_draft(again(pasted), by=BY, limits=LIMITS), "other words to the same people"


def test_a_test_is_not_taken_for_the_send_itself():
    service = a_service()
    content = b"number\n07700900123\n"
    drafts.send_draft(a_draft(service, content, text="Hello"), by=BY, limits=LIMITS)
    Send.objects.update(test=True)
    twin = a_draft(service, content, text="Hello")
    assert not drafts.file_sent_before(twin.upload)
    assert drafts.send_draft(twin, by=BY, limits=LIMITS)


def test_the_bytes_of_a_large_file_are_never_taken_as_a_whole():
    """A hundred megabytes, twice, for each look at the page and for as long as a check goes on."""
    service = a_service()
    taken: list[str] = []

    def look(execute, sql, params, many, context):
        if sql.startswith("SELECT") and '"sms_upload"."content"' in sql:
            taken.append(sql)
        return execute(sql, params, many, context)

    draft = a_draft(service, people(3_000))
    with connection.execute_wrapper(look):
        for _ in range(3):
            found = drafts.with_related(Draft.objects.all()).get(pk=draft.pk)
            with suppress(drafts.NotReady):
                drafts.totals_of(found, limits=LIMITS)
            background.run(stopped=lambda: False)
        found = drafts.with_related(Draft.objects.all()).get(pk=draft.pk)
        drafts.send_draft(found, by=BY, limits=LIMITS)
        background.run(stopped=lambda: False)
    assert taken == []
    with Upload.objects.defer("content").get().opened() as file:
        assert file.read() == people(3_000)


def test_columns_and_fallbacks_are_chosen_and_remembered_for_the_next_file_with_the_same_headings():
    service = a_service()
    fillings = {"name": {"column": "Customer", "fallback": "friend"}, "day": {"fallback": "Monday"}}
    content = b"Home,Mobile,Customer\n+442079460000,07700900123,Ada\n+442079460001,07700900124,\n"
    draft = a_draft(service, content, text="Hi $(name), on $(day)", column="Home", fillings=fillings)
    send = drafts.send_draft(draft, by=BY, limits=LIMITS)
    assert list(send.messages.values_list("text", flat=True)) == ["Hi Ada, on Monday", "Hi friend, on Monday"]
    assert send.messages.first().msisdn == "+442079460000"
    following = a_draft(service, content.replace(b"Ada", b"Grace"))
    assert drafts.recall_columns(following, limits=LIMITS)
    assert (following.column, following.fillings) == ("Home", fillings)
    assert not drafts.recall_columns(a_draft(service, b"Mobile,Customer\n07700900123,x\n"), limits=LIMITS)


def test_opt_outs_since_the_check_are_reported():
    service = a_service()
    draft = a_draft(service, people(3_000))
    assert finished(draft).opted_out_since == 0
    optouts.opt_out(service.pk, [optouts.Refusal("+447710000001", "asked")], by=BY, source=OptOut.Source.PAGE)
    looked = drafts.totals_of(again(draft), limits=LIMITS)
    assert (looked.opted_out_since, looked.stale) == (1, False)
    send = drafts.send_draft(again(draft), by=BY, limits=LIMITS)
    background.run(stopped=lambda: False)
    assert send.rejects.filter(code="opted_out").count() == 1


def test_rows_that_are_not_needed_are_forgotten_and_those_of_a_send_stay():
    service = a_service()
    sent, dropped = (a_draft(service, people(3_000 + more)) for more in (0, 1))
    finished(sent), finished(dropped)
    drafts.send_draft(again(sent), by=BY, limits=LIMITS)
    dropped.delete()
    assert background.delete_unused_versions() == 0, "an hour is waited"
    AudienceVersion.objects.update(made_at="2026-01-01T00:00Z")
    Draft.objects.all().delete()
    assert background.delete_unused_versions() == 1
    assert AudienceVersion.objects.get().sends.count() == 1


CELLS = st.sampled_from(["Ada", "", "ж" * 60, "x" * 170, "$(b)", "€"])
NUMBERS = st.sampled_from(
    ["+447710000001", "+447710000002", "+353851234567", "12", "+12025550123", "+447700900002", "+61412345678"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(NUMBERS, CELLS, st.sampled_from(["", "Europe/London", "nowhere"])), max_size=30),
    st.sampled_from(["Hello", "Hi $(name)", "$(name) https://a.example/" + "b" * 150]),
    st.integers(1, 7),
    st.booleans(),
)
def test_figures_of_a_stream_in_any_pieces_are_those_of_the_whole(rows, text, piece, ramp):
    """Random audiences; the reference is `check`, which holds all lines at once."""
    service = a_service() if not Sender.objects.exists() else Sender.objects.first().service
    service.quiet_hours = "21:00-08:00"
    sender = service.senders.first()
    sender.kind = SenderKind.ALPHANUMERIC
    if not OptOut.objects.exists():
        optouts.opt_out(
            service.pk, [optouts.Refusal("+447700900002", "asked")], by=BY, source=OptOut.Source.PAGE
        )
    written = "\n".join(["number,name,zone", *(",".join(row) for row in rows)]).encode()
    audience = read(io.BytesIO(written), name="", country="GB", limits=LIMITS)
    order = resolve(an_order(service, sender=sender, audience=audience, content=text, ramp=ramp))
    composer, surveyor = Composer(order), Surveyor(order)
    try:
        checked = checks.check(order)
    except ComposeError as problem:
        with pytest.raises(ComposeError) as caught:
            checks.survey(order)
        assert caught.value.problems == problem.problems
        return
    whole = checks.survey(order)
    mixed = [*audience.recipients, *audience.rejects]
    random.Random(1).shuffle(audience.rejects)
    for start in range(0, len(mixed), piece):
        part = mixed[start : start + piece]
        lines, unfit = composer.lines([one for one in part if hasattr(one, "msisdn")])
        surveyor.add(lines, [*unfit, *(one for one in part if not hasattr(one, "msisdn"))])
        surveyor = Surveyor(order, so_far=surveyor.so_far())
    assert surveyor.finish() == whole
    assert isinstance(audience, Audience)
    assert (whole.recipients, whole.rejected) == (len(checked.lines), len(checked.rejects))
    assert whole.total == sum(line.segments for line in checked.lines)
    counts = sorted(line.segments for line in checked.lines)
    assert (whole.worst, whole.typical) == (counts[-1], counts[len(counts) // 2])
    assert whole.bad == list(checked.rejects)[:100]
    assert sum(sum(stage.values()) for stage in whole.stages) == whole.recipients
