"""An erasure and work on a large audience at the same time: it waits, nothing is counted wrong, and no row survives half-written."""

import pytest

from sms.audiences import contents, packing, saved
from sms.audiences.files import Limits
from sms.audiences.storage import StoredAudience
from sms.compliance import erasure
from sms.compose import background, drafts
from sms.compose.background.lease import LeaseLost, PreparationLease
from sms.compose.create import create
from sms.compose.order import LARGE
from sms.models import Draft, Message, Preparation, Upload
from sms.sends.cancel import cancel
from tests.compliance.scan import found
from tests.support.large_audiences import a_draft, again, finished, killed, people, reading_of
from tests.support.sends import BY, a_service, an_order

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+447710000000", "+447710000001"
ROWS = LARGE + 500


@pytest.fixture
def folder(state_folder):
    return state_folder


def asked(service):
    return erasure.ask(service, NUMBER, reason="Request 7", by=BY)


def kept(draft: Draft) -> list[str]:
    return [one.msisdn for block in StoredAudience(again(draft).version).blocks() for one in block.recipients]


def test_a_file_that_is_being_read_is_read_to_its_end_first(folder):
    draft = a_draft(a_service(), people(3_000))
    killed(reading_of(draft))
    one = asked(draft.service)
    assert not erasure.perform(one, folder=folder)
    assert "The rows of a file are being read" in one.waits_for
    assert NUMBER in kept(draft), "nothing was touched under its feet"
    background.run(stopped=lambda: False)
    before = kept(draft)
    assert erasure.perform(one, folder=folder)
    assert kept(draft) == [number for number in before if number != NUMBER]
    assert finished(draft).figures.recipients == len(before) - 1
    assert found(NUMBER, draft.service, folder) == []


def test_a_reading_that_was_stopped_half_way_starts_again_and_loses_no_row(folder):
    draft = a_draft(a_service(), people(3_000))
    killed(reading_of(draft))
    assert drafts.stop_preparing(again(draft))
    assert erasure.perform(asked(draft.service), folder=folder)
    assert drafts.resume_preparing(again(draft))
    background.run(stopped=lambda: False)
    good = {f"+44771{at:07d}" for at in range(1, 3_000) if at % 100 != 99 and at % 1000 != 500}
    assert set(kept(draft)) == good
    assert len(kept(draft)) == len(good)
    assert finished(draft).figures.recipients == len(good)
    assert found(NUMBER, draft.service, folder) == []


def test_a_reading_whose_workbook_had_to_go_says_so(folder):
    draft = a_draft(a_service(), people(3_000))
    killed(reading_of(draft))
    drafts.stop_preparing(again(draft))
    quoted = b'mobile,name\n07710000000,"Ada\nLovelace"\n'
    Upload.objects.update(content=quoted, size=len(quoted))
    assert erasure.perform(asked(draft.service), folder=folder)
    work = Preparation.objects.get(kind="read")
    assert (work.state, work.trouble.split(",")[0]) == ("failed", "Its file held a number that was erased")
    assert found(NUMBER, draft.service, folder) == []


def test_no_message_of_a_half_written_send_survives(folder):
    service = a_service()
    send = create(an_order(service, ROWS), by=BY)
    killed(Preparation.objects.get(send=send))
    assert Message.objects.filter(send=send, msisdn=NUMBER).exists()
    one = asked(service)
    assert not erasure.perform(one, folder=folder)
    assert "The messages of a large send are being written" in one.waits_for
    background.run(stopped=lambda: False)
    assert not erasure.perform(one, folder=folder)
    assert "1 message to this number is waiting" in one.waits_for
    cancel(send, by=BY)
    assert erasure.perform(one, folder=folder)
    assert found(NUMBER, service, folder) == []
    assert Message.objects.filter(send=send).count() == ROWS, "that there was a message stays"


def test_a_check_that_is_under_way_is_started_again(folder, monkeypatch):
    from sms.compose.background import check

    monkeypatch.setattr(check, "STORE_EVERY", 0.0)
    draft = a_draft(a_service(), people(3_000))
    reading_of(draft)
    background.run(stopped=lambda: False)
    work = drafts.totals_of(again(draft), limits=Limits(bytes=50_000_000, rows=1_000_000)).preparation
    steps = background.work.KINDS["check"]
    lease = PreparationLease(work.pk, owner="me")
    assert lease.take()
    under_way = steps(Preparation.objects.get(pk=work.pk), lease)
    next(under_way)
    assert erasure.perform(asked(draft.service), folder=folder), "nobody waits for a check"
    with pytest.raises(LeaseLost):
        list(under_way)
    assert found(NUMBER, draft.service, folder) == []
    assert finished(draft).figures.recipients


def test_what_began_while_it_was_erased_is_waited_for_and_gone_over(folder):
    """A send that is made of the audience after messages were erased, and before audiences are."""
    service = a_service()
    packed = packing.pack_pasted(f"{NUMBER}\n{OTHER}", country="GB", limits=Limits())
    audience = saved.create(service, packed, name="List", by=BY)
    made = []

    def rest() -> None:
        if not made:
            rows = contents.audience_of(audience.current)
            made.append(create(an_order(service, audience=rows), by=BY))

    one = asked(service)
    assert not erasure.perform(one, folder=folder, rest=rest)
    assert "1 message to this number is waiting" in one.waits_for
    assert one.state == "waiting"
    cancel(made[0], by=BY)
    assert erasure.perform(one, folder=folder)
    assert found(NUMBER, service, folder) == []
    assert found(OTHER, service)


def test_a_text_that_names_it_is_not_changed_before_it_has_gone(folder):
    service = a_service()
    send = create(an_order(service, content="Call +44 7710 000000", audience=_others()), by=BY)
    one = asked(service)
    assert not erasure.perform(one, folder=folder)
    assert "The number stands in what a send to others will say" in one.waits_for
    send.refresh_from_db()
    assert send.text == "Call +44 7710 000000"
    cancel(send, by=BY)
    assert erasure.perform(one, folder=folder)
    assert found(NUMBER, service, folder) == []


def _others():
    from sms.audiences.files import read_pasted

    return read_pasted(OTHER, country="GB", limits=Limits())
