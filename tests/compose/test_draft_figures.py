"""A draft's rows and its writers: what a version remembers of its file, what counts as the same audience, and whose change stands."""

import pytest

from portal.models import User
from sms.audiences.files import Limits
from sms.compose import background, drafts
from sms.compose.drafts import collaboration, versions
from sms.compose.drafts.collaboration import DraftSent, fingerprints, save
from sms.compose.errors import ComposeError
from sms.models import AudienceVersion, Draft, Preparation, Upload
from tests.support.large_audiences import LIMITS, a_draft, again, finished, people, reading_of, rows
from tests.support.sends import a_send, a_service

pytestmark = pytest.mark.django_db


def a_pasted_draft(service, count: int = 6_000) -> Draft:
    text = "number,name\n" + "\n".join(f"0771{at:07d},Person {at}" for at in range(count))
    return Draft.objects.create(service=service, sender=service.senders.first(), text="Hi", pasted=text)


# --- versions -----------------------------------------------------------------------------------------------------------
def test_a_version_remembers_how_its_file_was_read():
    ada = User.objects.create_user("ada@example.test", "x")
    service = a_service()
    draft = a_draft(
        service, people(3_000), country="IE", column="Customer", allow_duplicates=True, created_by=ada
    )
    Upload.objects.update(uploaded_by=ada)
    version = versions.begin_reading(again(draft), limits=LIMITS)
    assert (version.number, version.source, version.country, version.asked_column, version.allow_duplicates) == (
        1, "people.csv", "IE", "Customer", True,
    )  # fmt: skip
    assert (version.upload, version.mends, version.ready_at, version.made_by) == (
        draft.upload,
        None,
        None,
        ada,
    )
    work = Preparation.objects.get()
    assert (work.kind, work.version, work.total, work.service) == (
        "read",
        version,
        draft.upload.size,
        service,
    )
    assert work.cursor["pasted"] is False
    assert work.cursor["limits"]["rows"] == LIMITS.rows


def test_a_large_paste_is_kept_as_a_file_of_its_own_and_read_as_a_paste():
    draft = a_pasted_draft(a_service())
    work = reading_of(draft)
    version = again(draft).version
    assert work.cursor["pasted"] is True
    assert (version.source, version.asked_column, version.upload.name) == (
        "pasted numbers",
        "",
        "pasted numbers",
    )
    assert bytes(version.upload.content).decode() == draft.pasted
    found = finished(draft)
    assert (found.figures.recipients, found.figures.rejected) == (6_000, 0)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"text": "Other"}, True),
        ({"country": "IE"}, False),
        ({"country": "GB"}, True),
        ({"column": "Customer"}, False),
        ({"allow_duplicates": True}, False),
        ({"upload": None, "pasted": "+447710000000"}, False),
    ],
)
def test_the_rows_of_a_file_are_read_again_where_it_is_read_in_another_way(changes, same):
    draft = a_draft(a_service(), people(3_000))
    reading_of(draft)
    version = again(draft).version
    for name, value in changes.items():
        setattr(draft, name, value)
    if changes:
        draft.save(update_fields=list(changes))
    assert (versions.current_version(again(draft)) == version) == same


def test_a_changed_paste_is_another_audience():
    draft = a_pasted_draft(a_service())
    reading_of(draft)
    assert versions.current_version(again(draft)) is not None
    Draft.objects.update(pasted=draft.pasted + "\n07710999999,Last")
    assert versions.current_version(again(draft)) is None
    Draft.objects.update(pasted=draft.pasted)
    assert versions.current_version(again(draft)) is not None


def test_another_file_cancels_the_reading_of_the_one_before():
    draft = a_draft(a_service(), people(3_000))
    first = reading_of(draft)
    other = Upload.keep(people(3_001), service=draft.service, name="b.csv", user=None)
    Draft.objects.update(upload=other)
    second = reading_of(draft)
    assert second.pk != first.pk and second.version.upload == other
    states = dict(Preparation.objects.values_list("pk", "state"))
    assert states[second.pk] == "waiting" and states.get(first.pk) != "waiting"


def test_of_a_version_the_first_rows_are_shown():
    draft = a_draft(a_service(), people(3_000))
    finished(draft)
    good, bad = drafts.first_stored_rows(AudienceVersion.objects.get(), 3)
    assert [one.row for one in good] == [2, 3, 4]
    assert [one.row for one in bad] == [101, 201, 301]
    good, bad = drafts.first_stored_rows(AudienceVersion.objects.get(), 10_000)
    assert len(bad) == 33 and [one.row for one in bad] == sorted(one.row for one in bad), "of several pieces"
    assert 0 < len(good) < 2_967, "of the first piece"


def test_what_cannot_be_read_is_said_of_the_draft():
    draft = a_draft(a_service(), people(3_000), column="Nothing of that name")
    reading_of(draft)
    background.run(stopped=lambda: False)
    with pytest.raises(ComposeError) as caught:
        drafts.totals_of(again(draft), limits=LIMITS)
    assert [problem.field for problem in caught.value.problems] == ["column"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pasted": "+447710000000", "upload": True}, "There are pasted numbers and a file."),
        ({"pasted": " ", "upload": True}, None),
    ],
)
def test_a_draft_has_one_source_of_numbers(fields, words):
    service = a_service()
    upload = Upload.keep(rows(3), service=service, name="a.csv", user=None)
    draft = Draft.objects.create(service=service, text="Hi", pasted=fields["pasted"], upload=upload)
    if words is None:
        assert len(drafts.audience_of_draft(draft, limits=Limits()).recipients) == 3
        return
    with pytest.raises(ComposeError, match=words):
        drafts.audience_of_draft(draft, limits=Limits())


# --- several writers ----------------------------------------------------------------------------------------------------
@pytest.fixture
def draft() -> Draft:
    return Draft.objects.create(service=a_service(), text="Hello", name="Spring")


def typed(draft: Draft, **changes) -> Draft:
    mine = Draft.objects.get(pk=draft.pk)
    for name, value in changes.items():
        setattr(mine, name, value)
    return mine


@pytest.mark.parametrize(
    ("theirs", "mine", "chosen", "stored", "outcome"),
    [
        ({}, {}, (), {"text": "Hello"}, (False, (), ())),
        ({}, {"text": "Mine"}, (), {"text": "Mine"}, (True, (), ())),
        ({"text": "Theirs"}, {}, (), {"text": "Theirs"}, (False, ("text",), ())),
        ({"text": "Theirs"}, {"text": "Mine"}, (), {"text": "Theirs"}, (False, (), ("text",))),
        ({"text": "Same"}, {"text": "Same"}, (), {"text": "Same"}, (False, ("text",), ())),
        ({"text": "Theirs"}, {"name": "Mine"}, (), {"text": "Theirs", "name": "Mine"}, (True, ("text",), ())),
        ({}, {"text": "Mine"}, ("text",), {"text": "Hello"}, (False, ("text",), ())),
        (
            {"name": "x"},
            {"name": "y", "text": "Mine"},
            (),
            {"name": "x", "text": "Mine"},
            (True, (), ("name",)),
        ),
    ],
)
def test_whose_change_stands(draft, theirs, mine, chosen, stored, outcome):
    eve, ada = (User.objects.create_user(f"{name}@example.test", "x") for name in ("eve", "ada"))
    base = fingerprints(draft)
    if theirs:
        save(typed(draft, **theirs), base=base, user=eve)
    mine_typed = Draft.objects.get(pk=draft.pk)
    for name, value in ({"text": "Hello", "name": "Spring"} | mine).items():
        setattr(mine_typed, name, value)
    saved = save(mine_typed, base=base, user=ada, theirs=chosen)
    found = Draft.objects.get(pk=draft.pk)
    assert {name: getattr(found, name) for name in stored} == stored
    assert (saved.changed, saved.theirs, saved.clashes) == outcome
    assert saved.before == (eve if theirs else None)
    assert found.revision == draft.revision + bool(theirs) + saved.changed
    last = ada if saved.changed else eve if theirs else None
    assert found.changed_by == last
    assert set(found.editors.all()) == ({ada} if saved.changed else set()) | ({eve} if theirs else set())


def test_a_field_that_was_not_shown_is_stored_as_typed_and_a_sent_draft_takes_nothing(draft):
    assert save(typed(draft, text="Mine"), base={}, user=None).changed
    assert Draft.objects.get().editors.count() == 0
    send = a_send(draft.service, 1)
    Draft.objects.update(send=send)
    with pytest.raises(DraftSent) as refused:
        save(typed(draft, text="Late"), base={}, user=None)
    assert (
        refused.value.draft.send_id == send.pk and str(refused.value) == "This draft has already been sent."
    )
    assert Draft.objects.get().text == "Mine"


def test_a_fingerprint_is_of_the_value_however_it_was_typed(draft):
    one, two = typed(draft, text="a\r\nb"), typed(draft, text="a\nb")
    assert fingerprints(one) == fingerprints(two) != fingerprints(draft)
    assert set(fingerprints(draft)) == set(collaboration.EDITED)
    assert {len(value) for value in fingerprints(draft).values()} == {12}
    assert fingerprints(typed(draft, fillings={"b": 1, "a": 2})) == fingerprints(
        typed(draft, fillings={"a": 2, "b": 1})
    )
    assert fingerprints(typed(draft, fillings={})) == fingerprints(draft)


# --- what is remembered of files ----------------------------------------------------------------------------------------
def a_file(service, content: bytes, **changes) -> Draft:
    upload = Upload.keep(content, service=service, name="a.csv", user=None)
    return Draft.objects.create(service=service, upload=upload, **changes)


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ({}, ("Customer", "IE", {"x": 1})),
        ({"column": "Other"}, ("Other", "IE", {"x": 1})),
        ({"country": "FR"}, ("Customer", "FR", {"x": 1})),
        ({"fillings": {"x": 2, "y": 3}}, ("Customer", "IE", {"x": 2, "y": 3})),
    ],
)
def test_choices_are_offered_for_the_next_file_with_the_same_headings(own, found):
    service = a_service()
    first = a_file(service, people(2), column="Customer", country="IE", fillings={"x": 1})
    drafts.remember_columns(first, limits=LIMITS)
    next_one = a_file(service, people(9), **own)
    assert drafts.recall_columns(next_one, limits=LIMITS)
    assert (next_one.column, next_one.country, next_one.fillings) == found
    other = a_file(service, rows(3))
    assert not drafts.recall_columns(other, limits=LIMITS) and other.column == ""
    assert not drafts.recall_columns(a_file(a_service(slug="b", name="B"), people(2)), limits=LIMITS)
    pasted = Draft.objects.create(service=service, pasted="+447710000000")
    assert not drafts.recall_columns(pasted, limits=LIMITS)
    drafts.remember_columns(pasted, limits=LIMITS)
    first.column = "Note"
    drafts.remember_columns(first, limits=LIMITS)
    newest = a_file(service, people(3))
    assert drafts.recall_columns(newest, limits=LIMITS) and newest.column == "Note"
