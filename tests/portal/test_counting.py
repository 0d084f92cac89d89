"""Figures over every row of a large draft, on the page where it is written: from its own check, and only of what is stored."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sms.audiences.files import Limits
from sms.compose import background, drafts
from sms.compose.order import LARGE
from sms.inbound import optouts
from sms.models import Draft, Preparation, Upload
from tests.support.people import signed_in
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db
ROWS = 1_100  # more than are looked at at every key, in a file that is large for its bytes


@pytest.fixture
def service():
    return a_service()


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


@pytest.fixture
def draft(service):
    """One number twice, one that is none, one person who refused, and a text of two segments for everybody else."""
    optouts.opt_out(service.pk, [optouts.Refusal("+447710000007")], by=BY, source="page")
    rows = [f"+44771{at:07d},{'x' * 140}" for at in (*range(ROWS), 0)]
    content = "\n".join(["Mobile,Note", *rows, "12,x"]).encode()
    assert len(content) > drafts.SMALL
    return Draft.objects.create(
        service=service,
        sender=service.senders.get(),
        country="GB",
        text="x" * 161,
        upload=Upload.keep(content, service=service, name="people.csv", user=None),
    )


def shown(client, draft, *, count=True, **changes) -> str:
    """What the page says beside and under what is typed."""
    typed = {"text": draft.text, "sender": draft.sender_id or "", "country": "GB", "at": "0"} | changes
    told = client.post(
        f"/s/shop/drafts/{draft.pk}/preview/", typed | ({"count": "1"} if count else {})
    ).json()
    return " ".join((told["parts"]["preview"] + told["parts"]["rows"]).split())


def worked() -> None:
    background.run(stopped=lambda: False)


def test_every_row_is_counted_in_the_background_and_shown_with_what_is_left_out(composer, draft):
    page = shown(composer, draft, count=False)
    assert "Every row is counted as soon as you pause" in page
    assert "<strong>Up to 1,100 recipients</strong>" in page, "who opted out is still to be subtracted"
    assert not Preparation.objects.exists(), "a key asks for nothing"
    assert "Reading every row …" in shown(composer, draft)
    worked()
    assert "Counting every row …" in shown(composer, draft)
    Preparation.objects.filter(kind="check").update(done=400, total=ROWS + 2)
    assert "400 of 1,102" in shown(composer, draft)
    worked()
    for count in (True, False):  # and a step to the next row keeps them
        page = shown(composer, draft, count=count)
        assert "counted over every row" in page
        assert "<dd> 2,198 </dd>" in page, "two segments for each of 1,099 people"
        assert "<strong>1,099 recipients</strong>" in page
        assert "1 row repeats an earlier number" in page
        assert "1 row is for a person who opted out" in page
        assert "data-counting" not in page


def test_what_is_not_stored_is_not_counted_in_its_place(composer, draft):
    shown(composer, draft)
    worked()
    shown(composer, draft)
    worked()
    page = shown(composer, draft, text="Another text")
    assert "estimated from" in page
    assert "Every row is counted once this is saved" in page
    assert "counted over every row" in shown(composer, draft, text=f"{draft.text} "), (
        "spaces at the end are not kept"
    )


def test_a_draft_that_makes_no_send_yet_says_what_is_missing_beside_the_estimate(composer, draft):
    shown(composer, draft)
    worked()
    Draft.objects.update(sender=None)
    page = shown(composer, Draft.objects.get())
    assert "estimated from" in page
    assert "Not every row is counted yet. Choose the sender" in page
    assert not Preparation.objects.filter(kind="check").exists()


def test_a_count_that_was_stopped_says_so_and_goes_on_when_asked(composer, draft):
    shown(composer, draft)
    worked()
    shown(composer, draft)
    drafts.stop_preparing(Draft.objects.get())
    page = shown(composer, draft)
    assert "The count was stopped" in page
    assert "data-counting" not in page, "nobody asks again every second"
    Preparation.objects.filter(kind="check").update(
        state="failed", trouble="It broke off four times. Go on.", trouble_code="interrupted"
    )
    page = shown(composer, draft)
    assert "It broke off four times. Go on." in page
    assert 'name="go_on"' in page
    drafts.resume_preparing(Draft.objects.get())
    worked()
    assert "counted over every row" in shown(composer, draft)


def test_many_rows_in_few_bytes_are_read_and_checked_like_any_large_audience(service):
    numbers = "\n".join(f"+44771{at:07d}" for at in range(LARGE + 1))
    draft = Draft.objects.create(service=service, sender=service.senders.get(), text="Hi", pasted=numbers)
    assert len(draft.pasted) < drafts.SMALL

    def looked() -> drafts.DraftTotals:
        return drafts.totals_of(
            Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk), limits=Limits()
        )

    with pytest.raises(drafts.NotReady):
        looked()
    worked()
    looked()
    worked()
    assert looked().figures.recipients == LARGE + 1


def form(draft, **changes) -> dict[str, object]:
    typed = {
        "text": draft.text,
        "sender": draft.sender_id,
        "country": "GB",
        "when": "now",
    }
    return typed | changes


def test_stopping_and_going_on_keep_what_was_typed_without_scripts(composer, draft):
    shown(composer, draft)
    answer = composer.post(f"/s/shop/drafts/{draft.pk}/", form(draft, text="Typed a moment ago", stop="1"))
    assert answer.status_code == 302
    stopped = Draft.objects.get()
    assert stopped.text == "Typed a moment ago"
    assert stopped.version.preparation.state == Preparation.State.CANCELLED
    wrong = composer.post(f"/s/shop/drafts/{draft.pk}/", form(draft, when="later", text="And now", go_on="1"))
    assert wrong.status_code == 422, "what cannot be stored is still shown"
    draft = Draft.objects.get()
    assert draft.text == "And now"
    assert draft.version.preparation.is_waiting


def test_corrected_rows_join_from_both_pages_and_the_text_is_kept(composer, service):
    draft = Draft.objects.create(
        service=service, sender=service.senders.get(), country="GB", text="Hi", pasted="07700 900001\n12\n13"
    )
    page = f"/s/shop/drafts/{draft.pk}/"
    rejects = b"".join(composer.get(f"{page}rejects.csv").streaming_content).decode("utf-8-sig")
    for act, old, new in (
        ("", ",12", ",07700 900002"),
        ("mend/", ",13", ",07700 900003"),
    ):
        assert f"{old}\r" in rejects, rejects
        rejects = rejects.replace(f"{old}\r", f"{new}\r")
        mended = SimpleUploadedFile("rejects.csv", rejects.encode())
        sent = {"mended": mended} | ({} if act else form(draft, text="Hello", pasted=draft.pasted, mend="1"))
        assert composer.post(f"{page}{act}", sent).status_code == 302
    assert Draft.objects.get().text == "Hello"
    composer.get(f"{page}review/")
    worked()
    assert composer.get(f"{page}review/").context["recipients"] == 3


def test_rows_without_a_number_can_be_downloaded_while_the_text_wants_a_column_that_is_not_there(
    composer, service
):
    draft = Draft.objects.create(
        service=service, sender=service.senders.get(), text="Hi $(nobody)", pasted="07700 900001\n12"
    )
    answer = composer.get(f"/s/shop/drafts/{draft.pk}/rejects.csv")
    assert answer.status_code == 200
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["rejected row", "2"]
