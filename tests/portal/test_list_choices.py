"""Bulk acts, saved filters and chosen columns over HTTP."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from sms.models import AuditEvent, BulkAct, Draft, ListColumns, SavedFilter, Send
from sms.sends import bulk
from sms.sends.cancel import cancel
from tests.support.every_page import an_audience
from tests.support.people import a_cast
from tests.support.provider import Provider, accepted
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def chosen(client, kind: str, *rows: int, **more) -> str:
    """The page that says what would happen."""
    answer = client.post("/s/shop/bulk/", {"kind": kind, "row": rows, **more})
    assert answer.status_code == 302 and "/bulk/" in answer["Location"], answer["Location"]
    return answer["Location"]


def says(client, at: str) -> list[tuple[int, bool, str]]:
    return [(one.pk, one.does, one.says) for one in client.get(at).context["rows"]]


def test_sends_are_cancelled_after_a_page_that_says_what_becomes_of_each(cast):
    later = timezone.now() + timedelta(days=1)
    sent, over = a_send(cast.service, 2), a_send(cast.service)
    Provider(accepted).dispatch()
    waiting, other = a_send(cast.service, 3, due_at=later), a_send(cast.other, due_at=later)
    cancelled = a_send(cast.service, due_at=later)
    cancel(cancelled, by=BY)
    client = cast["composer"]
    at = chosen(client, "sends.cancel", waiting.pk, sent.pk, cancelled.pk, other.pk)
    assert says(client, at) == [
        (waiting.pk, True, "3 messages will not be sent."),
        (sent.pk, False, "All of it was sent already, so nothing is left to cancel."),
        (cancelled.pk, False, "It is cancelled already."),
    ]
    page = client.get(at).text
    assert "Cancel 1 send" in page and "1 of 3 would change. Nothing has happened yet." in page
    waiting.refresh_from_db()
    assert waiting.state == "scheduled", "nothing happened yet"
    assert cast["admin"].post(f"{at}run/")["Location"] == "/s/shop/", "somebody else's choice"
    for _ in range(2):
        assert client.post(f"{at}run/")["Location"] == at
    assert says(client, at)[0] == (waiting.pk, True, "Cancelled: 3 messages will not be sent.")
    assert "Done with 1 of 3." in client.get(at).text and "run/" not in client.get(at).text
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.state, other.state) == ("cancelled", "scheduled")
    acts = AuditEvent.objects.filter(act="send.cancelled", actor_label="composer@example.test")
    assert [row.noun_key for row in acts] == [str(waiting.pk)], "once, for each by itself"
    assert over.pk not in BulkAct.objects.get().things


def test_labels_come_to_all_that_match_and_to_no_more_than_a_send_takes(cast):
    sale, full, spring = (a_send(cast.service, name=name) for name in ("Sale 1", "Sale 2", "Spring"))
    from sms.compose import labels

    labels.add(full, [f"l{place}" for place in range(10)], by=BY)
    client = cast["composer"]
    for wrong, words in (
        ({"kind": "sends.label", "all": "1", "labels": ""}, "at least one label"),
        ({"kind": "sends.label", "all": "1", "labels": "07700 900001"}, "looks like a phone number"),
        ({"kind": "sends.label", "labels": "vip"}, "Tick the rows first"),
        ({"kind": "nothing"}, "Choose what to do"),
    ):
        assert words in client.post("/s/shop/bulk/", wrong, follow=True).text
    assert client.post("/s/shop/bulk/", {"kind": "drafts.label"}).status_code == 302
    assert cast["approver"].post("/s/shop/bulk/", {"kind": "sends.label"}).status_code == 403
    at = chosen(client, "sends.label", all="1", query="q=sale", labels="Vip, spring sale")
    assert [(pk, does) for pk, does, _ in says(client, at)] == [(full.pk, False), (sale.pk, True)]
    client.post(f"{at}run/")
    assert sorted(sale.labels.values_list("word", flat=True)) == ["spring-sale", "vip"]
    assert full.labels.count() == 10 and not spring.labels.exists()
    assert AuditEvent.objects.get(act="send.labelled", noun_key=str(sale.pk)).details["labels"]


def test_a_refused_choice_leaves_the_filter_the_ticks_and_the_labels_as_they_were(cast):
    ticked, other = (a_send(cast.service, name=f"Sale {at}") for at in range(2))
    a_send(cast.service, name="Spring")
    client = cast["composer"]

    def refused(**given) -> str:
        return client.post("/s/shop/bulk/", {"query": "q=sale", **given}, follow=True).text

    page = refused(kind="sends.label", row=[ticked.pk], labels="")
    assert "Write at least one label to add." in page and "Spring" not in page
    assert re.findall(r'value="(\d+)" form="bulk" checked', page) == [str(ticked.pk)]
    assert f'value="{other.pk}" form="bulk">' in page
    page = refused(kind="sends.label", labels="vip, new")
    assert 'name="labels" value="vip, new"' in page
    answer = client.post("/s/shop/bulk/", {"kind": "sends.label", "all": "1", "labels": "07700 900001"})
    assert "900001" not in answer["Location"], "a number is in no address"


def test_one_act_takes_so_many_and_goes_on_where_it_broke_off(cast, monkeypatch):
    later = timezone.now() + timedelta(days=1)
    sends = [a_send(cast.service, due_at=later) for _ in range(3)]
    monkeypatch.setattr("sms.sends.bulk.MOST", 2)
    client = cast["composer"]
    at = chosen(client, "sends.cancel", all="1")
    assert [pk for pk, _, _ in says(client, at)] == [sends[2].pk, sends[1].pk]
    assert "More than 2 were chosen" in client.get(at).text
    act, now = BulkAct.objects.get(), timezone.now()
    assert bulk.claim(act, now=now)
    BulkAct.objects.update(results=[[sends[2].pk, True, "Cancelled: 1 message will not be sent.", "x"]])
    client.post(f"{at}run/")
    assert "It is being carried out" in client.get(at).text
    assert set(Send.objects.values_list("state", flat=True)) == {"scheduled"}
    BulkAct.objects.update(claimed_at=now - bulk.DEAD_AFTER - timedelta(seconds=1))
    assert "Go on with the rest" in client.get(at).text
    client.post(f"{at}run/")
    assert [Send.objects.get(pk=one.pk).state for one in sends] == ["scheduled", "cancelled", "scheduled"]


def test_reports_of_several_sends_come_in_one_file(cast):
    first, second = a_send(cast.service, 2), a_send(cast.service)
    at = chosen(cast["auditor"], "sends.export", first.pk, second.pk)
    assert "Download the reports of 2 sends" in cast["auditor"].get(at).text
    answer = cast["auditor"].post(f"{at}run/")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer)))
    assert sorted(archive.namelist()) == [f"report-send-{one.pk}.csv" for one in (first, second)]
    assert "+447710000000" in archive.read(f"report-send-{first.pk}.csv").decode()
    assert AuditEvent.objects.filter(act="send.messages_exported").count() == 2
    at = chosen(cast["composer"], "sends.export", first.pk)
    masked = zipfile.ZipFile(io.BytesIO(b"".join(cast["composer"].post(f"{at}run/"))))
    assert "+447710000000" not in masked.read(f"report-send-{first.pk}.csv").decode()
    assert cast["approver"].post("/s/shop/bulk/", {"kind": "sends.export"}).status_code == 403


def test_drafts_are_labelled_and_discarded_and_audiences_archived(cast):
    client, service = cast["composer"], cast.service
    mine = Draft.objects.create(service=service, name="Mine", labels="vip")
    open_one = Draft.objects.create(service=service, name="Open")
    cast["admin"].get(f"/s/shop/drafts/{open_one.pk}/")
    client.post(f"{chosen(client, 'drafts.label', mine.pk, labels='Sale')}run/")
    mine.refresh_from_db()
    assert mine.labels == "sale, vip" and mine.editors.filter(email="composer@example.test").exists()
    at = chosen(client, "drafts.discard", all="1")
    client.post(f"{at}run/")
    assert list(Draft.objects.filter(Draft.open_ones())) == [open_one]
    assert "has this draft open" in client.get(at).text
    audience = an_audience(service)
    client.post(f"{chosen(client, 'audiences.archive', audience.pk)}run/")
    audience.refresh_from_db()
    assert audience.archived_at and AuditEvent.objects.filter(act="audience.archived").count() == 1


def save(client, of: str, name: str, query: str, **more) -> str:
    given = {"of": of, "name": name, "query": query, **more}
    return client.post("/s/shop/filters/", given, follow=True).text


def test_a_filter_is_kept_under_a_name_shared_by_an_admin_and_says_what_is_gone(cast):
    from sms.compose import labels

    send = a_send(cast.service)
    labels.add(send, ["vip"], by=BY)
    composer, admin = cast["composer"], cast["admin"]
    save(composer, "sends", "Vips", "label=vip&before=7&nonsense=1")
    save(composer, "sends", "Vips", "label=vip&state=sending", shared="1")
    kept = SavedFilter.objects.get()
    assert (kept.query, kept.shared) == ("state=sending&label=vip", False), "the same name, and no admin"
    assert "?state=sending&amp;label=vip" in composer.get("/s/shop/sends/").text
    assert "Vips" not in admin.get("/s/shop/sends/").text
    save(admin, "sends", "Theirs", "label=vip", shared="1")
    shown = composer.get("/s/shop/sends/").text
    assert "Theirs" in shown and "gone" not in shown
    send.labels.all().delete()
    assert "The label “vip” is gone" in composer.get("/s/shop/sends/").text
    theirs = SavedFilter.objects.get(name="Theirs")
    composer.post(f"/s/shop/filters/{theirs.pk}/remove/")
    assert SavedFilter.objects.count() == 2, "an admin's"
    assert admin.post(f"/s/shop/filters/{kept.pk}/remove/").status_code == 404, "their own affair"
    composer.post(f"/s/shop/filters/{kept.pk}/remove/")
    admin.post(f"/s/shop/filters/{theirs.pk}/remove/")
    assert not SavedFilter.objects.exists()
    save(cast["auditor"], "audit", "Cancels", "act=send.cancelled&words=")
    assert SavedFilter.objects.get().query == "act=send.cancelled"
    assert "Cancels" in cast["auditor"].get("/s/shop/audit/").text
    save(composer, "audit", "Not mine", "act=send.cancelled")
    save(composer, "drafts", "Hello", "q=hello")
    assert "Hello" in composer.get("/s/shop/drafts/").text
    assert SavedFilter.objects.count() == 2


@pytest.mark.parametrize(
    ("of", "name", "query", "words"),
    [
        ("messages", "Ada", "for=c2VhbGVk", "Narrow the list down first"),
        ("messages", "Ada", "q=07700+900123", "Narrow the list down first"),
        ("messages", "Ada", "for=07700900123", "Narrow the list down first"),
        ("sends", "Ada", "q=07700+900123", "no phone number"),
        ("sends", "Of 07700 900123", "q=sale", "no phone number"),
        ("sends", "", "q=sale", "Give the filter a name"),
        ("sends", "All", "before=3", "Narrow the list down first"),
    ],
)
def test_what_is_no_filter_to_keep_is_refused(cast, of, name, query, words):
    assert words in save(cast["composer"], of, name, query)
    assert not SavedFilter.objects.exists()


def test_a_search_for_messages_is_kept_sealed_and_finds_the_same_again(cast):
    send = a_send(cast.service, 2)
    client, number = cast["composer"], "07710 000001"
    found = client.post("/s/shop/messages/", {"q": number}, follow=True)
    ((address, _),) = found.redirect_chain
    query = address.partition("?")[2]
    assert f'name="query" value="{query}"' in found.text
    save(client, "messages", "Her", query)
    kept = SavedFilter.objects.get()
    assert (kept.query, kept.words) == (query, number)
    page = client.get("/s/shop/messages/").text
    assert f'href="?{query}"' in page and "7710000001" not in page
    again = client.get(f"/s/shop/messages/?{query}")
    assert [one.pk for one in again.context["rows"]] == [send.messages.get(msisdn="+447710000001").pk]
    assert 'aria-current="true"' in again.text and "Save this filter" not in again.text
    assert "no phone number" in save(client, "messages", "Of 07710 000001", query)
    other = cast["foreigner"].post("/s/foreign/messages/", {"q": number})["Location"].partition("?")[2]
    assert "Narrow the list down first" in save(client, "messages", "Of another service", other)
    assert SavedFilter.objects.count() == 1


def test_columns_are_chosen_per_person_and_list(cast):
    send = a_send(cast.service)
    client = cast["composer"]
    heads = [one.title for one in client.get("/s/shop/sends/").context["columns"].shown]
    assert heads == ["State", "Due", "From", "Recipients", "Delivered", "Failed", "By"]
    given = {"of": "sends", "column": ["lane", "state", "gone"], "query": "q=to"}
    assert client.post("/s/shop/columns/", given)["Location"] == "/s/shop/sends/?q=to"
    shown = client.get("/s/shop/sends/").text
    assert 'data-label="Lane"' in shown and 'data-label="Due"' not in shown
    assert 'data-label="Due"' in cast["admin"].get("/s/shop/sends/").text
    client.post("/s/shop/columns/", {"of": "messages", "column": ["country"]})
    page = client.get("/s/shop/messages/").text
    assert (
        'data-label="Country"' in page
        and 'data-label="State"' not in page
        and f"/messages/{send.messages.get().pk}/" in page
    )
    client.post("/s/shop/columns/", {"of": "sends", "usual": "1", "column": ["lane"]})
    assert ListColumns.objects.get().of == "messages"
    assert cast["composer"].post("/s/shop/columns/", {"of": "audit"}).status_code == 302
