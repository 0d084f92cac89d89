"""The page *Personal data*: a number is erased with a certificate, or what is held about it is given out."""

import io
import json
import zipfile

import pytest
from django.conf import settings

from sms.models import AuditEvent, Erasure
from tests.support.jobs import run_job
from tests.support.pages import text_of
from tests.support.past_sends import a_past_send
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
PAGE = "/s/shop/settings/personal-data/"


@pytest.fixture
def cast(state_folder, settings):
    settings.VAR_DIR = state_folder
    return a_cast()


def test_a_number_is_asked_to_be_erased_and_the_certificate_shown(cast):
    a_past_send(cast.service, 2, days=20)
    admin = cast["admin"]
    fields = {"erase-number": "07710 000000", "erase-reason": "Request 7"}
    refused = admin.post(f"{PAGE}erase/", fields)
    assert refused.status_code == 422
    assert "what is erased cannot be brought back" in text_of(refused)
    assert (
        "is no" in text_of(admin.post(f"{PAGE}erase/", {"erase-number": "x"})) or not Erasure.objects.exists()
    )
    there = admin.post(f"{PAGE}erase/", fields | {"erase-sure": "on"})
    one = Erasure.objects.get()
    assert there.url == f"{PAGE}{one.pk}/"
    assert "It begins within a minute" in text_of(admin.get(there.url))
    run_job("erasures")
    shown = text_of(admin.get(there.url))
    assert "the number was found nowhere" in shown
    assert one.digest in shown
    file = json.loads(admin.get(f"{there.url}certificate.json").content)
    assert file["mac"] == Erasure.objects.get().mac
    assert f"Erasure {one.pk}: erased" in text_of(admin.get(PAGE))
    assert AuditEvent.objects.get(act="erasure.asked").actor_label == "admin@example.test"
    Erasure.objects.update(certificate=file | {"left": 3})
    shown = text_of(admin.get(there.url))
    assert "Not complete" in shown
    assert "This certificate is not the one that was made" in shown


def test_what_is_held_leaves_as_a_file_that_names_no_one(cast):
    a_past_send(cast.service, 2, days=20)
    fields = {"disclose-number": "+44 7710 000000", "disclose-reason": "Request 8"}
    response = cast["admin"].post(f"{PAGE}disclose/", fields)
    with zipfile.ZipFile(io.BytesIO(response.content)) as book:
        assert len(json.loads(book.read("data.json"))["messages"]) == 1
    assert "7710" not in response["Content-Disposition"]
    assert cast["admin"].post(f"{PAGE}disclose/", {"disclose-number": "07710 000000"}).status_code == 422
    assert settings.VAR_DIR.exists()
