"""Saved audiences: what goes in comes out row by row, versions stay, numbers are found, and what is used is kept."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sms.audiences import contents, errors, packing, saved, storage
from sms.audiences.files import Limits, read
from sms.compose import drafts
from sms.compose.errors import ComposeError
from sms.models import AudienceChunk, AudienceVersion, AuditEvent, Draft, SavedAudience, Send, SendState
from tests.support.office_file import build
from tests.support.provider import Provider
from tests.support.sends import BY, a_service

pytestmark = pytest.mark.django_db
LIMITS = Limits()
TABLE = (
    "Mobile;Name;Town\n07710000000;Ada;=1+1\n07710000001;Bob;\nnonsense;Eve;Ely\n07710000000;Ada again;Ely\n"
)


@pytest.fixture
def service():
    return a_service()


def packed(text: str = TABLE) -> packing.Packed:
    return packing.pack_file(
        io.BytesIO(text.encode()), name="list.csv", country="GB", column=None, limits=LIMITS
    )


def kept(service, name: str = "Regulars", text: str = TABLE) -> SavedAudience:
    return saved.create(service, packed(text), name=name, by=BY)


def test_a_file_comes_out_as_it_went_in(service):
    content, expected = build(2300, seed=5, flavour="xlsx")
    file = packing.pack_file(io.BytesIO(content), name="list.xlsx", country="GB", column=None, limits=LIMITS)
    made = saved.create(service, file, name="Big", by=BY)
    whole = read(io.BytesIO(content), name="list.xlsx", country="GB", limits=LIMITS)
    again = contents.audience_of(made.current)
    assert again.recipients == whole.recipients
    assert (again.headings, again.column) == (whole.headings, whole.column)
    assert {one.row: one.msisdn for one in again.recipients} == expected.recipients
    assert storage.rejects_of(made.current) == whole.rejects
    assert (made.current.recipients, made.current.rejected) == (len(whole.recipients), len(whole.rejects))
    assert AudienceChunk.objects.count() == -(-len(whole.recipients) // 1000)


def test_a_hundred_thousand_rows_are_small_and_one_is_found_by_one_query(service):
    rows = "\n".join(f"0771{index:07d},Person {index},Town {index % 90}" for index in range(100_000))
    made = kept(service, "Everybody", f"Mobile,Name,Town\n{rows}\n")
    size = sum(len(one.rows) + len(one.numbers) for one in AudienceChunk.objects.filter(version=made.current))
    with CaptureQueriesContext(connection) as queries:
        [hit] = contents.find(service, "+447710099999")
    assert (hit.row, hit.cells["Name"]) == (100_001, "Person 99999")
    assert made.current.recipients == 100_000
    assert size < 4_000_000, f"{size:,} bytes"
    assert len(queries) == 1


def test_a_number_is_found_where_it_is_and_nowhere_else(service):
    first = kept(service)
    kept(service, "Others", "07710 000002\n07710 000003")
    assert [hit.version.audience for hit in contents.find(service, "+447710000001")] == [first]
    assert contents.find(service, "+447710000009") == []
    assert contents.find(a_service(slug="foreign", name="Foreign"), "+447710000001") == []
    saved.replace(first, packed("07710 000005"), by=BY)
    assert contents.find(service, "+447710000001") == []
    [old] = contents.find(service, "+447710000001", saved=first)
    assert (old.version.number, old.row, old.cells) == (1, 3, {"Name": "Bob"})


def test_bytes_of_two_neighbours_are_no_number():
    numbers = b"".join(one.to_bytes(8, "little") for one in (0x0102030405060708, 0x090A0B0C0D0E0F10))
    assert contents._index(numbers, numbers[4:12]) is None
    assert contents._index(numbers + numbers[4:12], numbers[4:12]) == 2


def test_a_name_is_taken_once_whatever_its_case_until_it_is_archived(service):
    first = kept(service)
    with pytest.raises(errors.SavedError, match="There is an audience named “REGULARS”"):
        kept(service, "REGULARS")
    assert AudienceVersion.objects.count() == 1, "nothing of the second one stayed"
    assert saved.archive(first, by=BY)
    assert not saved.archive(first, by=BY)
    second = kept(service, "regulars")
    with pytest.raises(errors.SavedError, match="Rename that one"):
        saved.bring_back(first, by=BY)
    saved.rename(second, name="New", note="", by=BY)
    assert saved.bring_back(first, by=BY)
    with pytest.raises(errors.SavedError):
        saved.rename(second, name="Regulars", note="", by=BY)


def test_nothing_usable_is_refused_with_the_first_reason():
    with pytest.raises(errors.SavedError, match="no usable number in it. Row 2: "):
        packed("Mobile;Name\nnonsense;Ada\n")


def drafted(service, audience, **fields) -> Draft:
    fields = {"text": "Hi $(Name)", "sender": service.senders.get(), "audience": audience} | fields
    return Draft.objects.create(service=service, **fields)


def test_a_send_uses_the_current_version_and_remembers_it(service):
    made = kept(service)
    first = drafts.send_draft(drafted(service, made), by=BY, limits=LIMITS)
    assert (first.recipients, first.rejected, first.audience) == (2, 0, made.current)
    assert first.source == "Regulars, version 1"
    saved.replace(made, packed("Mobile;Name\n07710000007;Joe\n"), by=BY)
    made.refresh_from_db()
    second = drafts.send_draft(drafted(service, made), by=BY, limits=LIMITS)
    assert (second.recipients, second.audience.number) == (1, 2)
    provider = Provider()
    provider.dispatch()
    assert sorted(provider.numbers) == ["447710000000", "447710000001", "447710000007"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [({"pasted": "07710000000"}, "There are pasted numbers and a saved audience"), ({}, "is archived")],
)
def test_a_draft_with_two_audiences_or_an_archived_one_says_so(service, fields, says):
    made = kept(service)
    if not fields:
        saved.archive(made, by=BY)
        made.refresh_from_db()
    with pytest.raises(ComposeError, match=says) as problem:
        drafts.order_of_draft(drafted(service, made, **fields), limits=LIMITS)
    assert problem.value.problems[0].field == "audience"


def test_what_a_send_used_is_not_deleted_but_its_rows_can_be_erased(service):
    made = kept(service)
    drafts.send_draft(drafted(service, made), by=BY, limits=LIMITS)
    with pytest.raises(errors.SavedError, match="was used in 1 send, whose history names it. Archive it"):
        saved.delete(made, by=BY)
    with pytest.raises(errors.SavedError, match="in use"):
        saved.erase(made.current, by=BY)
    saved.archive(made, by=BY)
    Send.objects.update(state=SendState.PREPARING)
    with pytest.raises(errors.SavedError, match="are being written from these rows"):
        saved.erase(made.current, by=BY)
    Send.objects.update(state=SendState.SENDING)
    assert saved.erase(made.current, by=BY)
    assert not saved.erase(made.current, by=BY)
    assert not AudienceChunk.objects.exists()
    assert contents.find(service, "+447710000001", saved=made) == []
    version = AudienceVersion.objects.get()
    assert (version.recipients, Send.objects.get().audience) == (2, version)
    with pytest.raises(errors.SavedError, match="were erased"):
        contents.audience_of(version)


def test_what_no_send_used_goes_for_good(service):
    saved.delete(kept(service), by=BY)
    assert not AudienceChunk.objects.exists()
    assert not AudienceVersion.objects.exists()
    acts = list(AuditEvent.objects.order_by("pk").values_list("act", flat=True))
    assert acts == ["audience.created", "audience.deleted"]
    assert "7710" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


def test_an_export_runs_no_formula_and_can_be_uploaded_again(service):
    made = kept(service)
    text = "".join(contents.export(made.current))
    assert text == "\ufeffMobile,Name,Town\r\n'+447710000000,Ada,'=1+1\r\n'+447710000001,Bob,\r\n"
    again = read(io.BytesIO(text.encode()), name="again.csv", country="", limits=LIMITS)
    assert [one.msisdn for one in again.recipients] == ["+447710000000", "+447710000001"]
    assert not again.rejects
