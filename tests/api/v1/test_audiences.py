"""Saved audiences and new times through the API: uploaded, replaced, used by a send, archived; a send is moved until it begins."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sms.models import AuditEvent, Message, SavedAudience, Send, Slice
from tests.api.v1.partner import a_partner
from tests.domain.desk import Provider, a_send

pytestmark = pytest.mark.django_db
CSV = "number,name\n+447700900101,Ada\n12,Nobody\n+447700900102,Alan\n"


def test_an_upload_becomes_an_audience_that_sends_use():
    _, partner = a_partner()
    made = partner.post("audiences", {"name": "Leeds", "csv": CSV}, Idempotency_Key="a1")
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["version"], told["recipients"], told["rejected"], told["columns"]) == (
        1,
        2,
        1,
        ["number", "name"],
    )
    assert made["Location"] == f"/api/v1/audiences/{told['id']}"
    again = partner.post("audiences", {"name": "Leeds", "csv": CSV}, Idempotency_Key="a1")
    assert again.json() == told and SavedAudience.objects.count() == 1
    (left_out,) = partner.get(f"audiences/{told['id']}/rejects").json()["items"]
    assert (left_out["row"] == 3 and "12" not in left_out["value"]) or left_out["value"] == "12"
    sent = partner.post("sends", {"text": "Hi $(name)", "audience": told["id"]}, Idempotency_Key="s1")
    assert sent.status_code == 201, sent.content
    assert list(Message.objects.order_by("row").values_list("text", flat=True)) == ["Hi Ada", "Hi Alan"]
    assert Send.objects.get().audience.audience_id == told["id"]


def test_a_file_replaces_the_rows_and_what_was_sent_keeps_its_version():
    _, partner = a_partner()
    pk = partner.post("audiences", {"name": "Leeds", "csv": CSV}).json()["id"]
    partner.post("sends", {"text": "Hi", "audience": pk}, Idempotency_Key="s1")
    file = SimpleUploadedFile("new.csv", b"mobile\n07700900103\n", content_type="text/csv")
    headers = {"key": partner.token}
    moved = Client().post(
        f"/api/v1/audiences/{pk}/versions", {"file": file, "country": "GB"}, headers=headers
    )
    assert moved.status_code == 201, moved.content
    assert (moved.json()["version"], moved.json()["source"], moved.json()["recipients"]) == (2, "new.csv", 1)
    assert Send.objects.get().audience.number == 1
    stale = partner.post(f"audiences/{pk}/versions", {"csv": CSV}, If_Match='"old"')
    assert stale.status_code == 412


def test_an_archived_one_is_listed_apart_and_used_no_more():
    _, partner = a_partner()
    pk = partner.post("audiences", {"name": "Leeds", "csv": CSV}).json()["id"]
    assert partner.call("DELETE", f"audiences/{pk}").status_code == 204
    assert partner.call("DELETE", f"audiences/{pk}").status_code == 204, "twice is once"
    assert [one["id"] for one in partner.get("audiences?archived=true").json()["items"]] == [pk]
    assert partner.get("audiences?archived=false").json()["items"] == []
    for path, body, status, field in (
        ("sends", {"text": "Hi", "audience": pk}, 422, "audience"),
        (f"audiences/{pk}/versions", {"csv": CSV}, 409, None),
    ):
        refused = partner.post(path, body, Idempotency_Key=path)
        assert refused.status_code == status, refused.content
        if field:
            assert refused.json()["errors"][0]["field"] == field
    assert partner.post("audiences", {"name": "Leeds", "csv": CSV}).status_code == 201, (
        "its name is free again"
    )


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"csv": CSV}, 400, "name"),
        ({"name": "x"}, 400, "csv"),
        ({"name": "x", "csv": "12\n13"}, 422, "csv"),
        ({"name": "x", "csv": CSV, "column": "nobody"}, 422, "column"),
        ({"name": "Taken", "csv": CSV}, 422, "name"),
        ({"name": "x", "csv": CSV, "colour": "blue"}, 400, "colour"),
    ],
)
def test_every_refusal_names_its_field_and_stores_nothing(body, status, field):
    _, partner = a_partner()
    partner.post("audiences", {"name": "taken", "csv": CSV})
    refused = partner.post("audiences", body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (status, field), refused.content
    assert SavedAudience.objects.count() == 1


def test_another_services_audience_is_not_there():
    service, partner = a_partner()
    pk = partner.post("audiences", {"name": "Ours", "csv": CSV}).json()["id"]
    from tests.api.desk import a_key, a_partner_service
    from tests.api.v1.partner import ALL, Partner

    other = Partner(a_key(a_partner_service(slug="other", name="Other"), scopes=ALL))
    assert other.get(f"audiences/{pk}").status_code == 404
    assert other.get(f"audiences/{pk}/rejects").status_code == 404
    refused = other.post("sends", {"text": "Hi", "audience": pk}, Idempotency_Key="k")
    assert refused.status_code == 422 and not Send.objects.exists()
    assert service.audiences.count() == 1


# --- another time -------------------------------------------------------------------------------------------------------


def scheduled(service, **changes) -> Send:
    return a_send(service, 2, due_at=timezone.now() + timedelta(days=1), **changes)


def test_a_scheduled_send_is_moved_and_goes_out_at_its_new_time():
    service, partner = a_partner()
    send = scheduled(service)
    later = (timezone.now() + timedelta(days=9)).isoformat()
    moved = partner.call("PATCH", f"sends/{send.pk}", {"send_at": later})
    assert moved.status_code == 200, moved.content
    send.refresh_from_db()
    assert send.due_at.isoformat()[:19] == later[:19] and moved.json()["send_at"][:16] == later[:16]
    assert set(Slice.objects.values_list("due_at", flat=True)) == {send.due_at}
    assert AuditEvent.objects.get(act="send.rescheduled").actor_kind == "key"
    assert not Provider().dispatch().posted
    partner.call("PATCH", f"sends/{send.pk}", {"send_at": timezone.now().isoformat()})
    assert Provider().dispatch().posted == 2


def test_what_cannot_be_moved_says_why():
    service, partner = a_partner()
    begun = a_send(service)
    Provider().dispatch()
    later = (timezone.now() + timedelta(days=2)).isoformat()
    assert partner.call("PATCH", f"sends/{begun.pk}", {"send_at": later}).status_code == 409
    send = scheduled(service, expires_at=timezone.now() + timedelta(days=1, hours=1))
    for body, status in (
        ({"send_at": "2001-01-01T00:00:00Z"}, 422),
        ({"send_at": later}, 422),
        ({"send_at": "tomorrow"}, 400),
        ({}, 400),
        ({"send_at": later, "text": "x"}, 400),
    ):
        refused = partner.call("PATCH", f"sends/{send.pk}", body)
        assert refused.status_code == status, refused.content
        assert refused.json()["errors"][0]["field"] in ("send_at", "text")
    leased = scheduled(service)
    leased.slices.update(owner="somebody", leased_until=timezone.now() + timedelta(minutes=1))
    assert partner.call("PATCH", f"sends/{leased.pk}", {"send_at": later}).status_code == 409
