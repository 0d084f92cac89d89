"""Another key for the secrets at rest: everything ends under the newest, nothing is lost, and the old key goes only when it may."""

import io

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import CommandError, call_command

from sms.compliance import rotate_keys
from sms.models import AuditEvent, Service
from sms.models.fields import keyring
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys():
    """Old and new."""
    return Fernet.generate_key().decode(), Fernet.generate_key().decode()


def sealed_with(key: str, count: int = 3) -> None:
    keyring.load([key])
    for index in range(count):
        a_service(slug=f"shop-{index}", name=f"Shop {index}", api_key=f"key-{index}", receipt_secret="")


def run(keys: list[str], **options) -> str:
    settings_before, out = settings.FIELD_KEYS, io.StringIO()
    settings.FIELD_KEYS = keys
    try:
        call_command("rotate_field_keys", stdout=out, **options)
    finally:
        settings.FIELD_KEYS = settings_before
    return out.getvalue()


def test_every_secret_of_every_model_ends_under_the_newest_key(keys):
    old, new = keys
    sealed_with(old)
    said = run([new, old], batch=2)
    assert "sms.service.api_key: 3 looked at, 3 sealed again" in said
    assert "sms.service.correlation_key: 3 looked at, 3 sealed again" in said
    assert "All 6 secrets open with the newest key. The 1 older may be taken out of FIELD_KEYS now." in said
    keyring.load([new])
    assert [one.api_key for one in Service.objects.order_by("pk")] == ["key-0", "key-1", "key-2"]
    assert {one.receipt_secret for one in Service.objects.all()} == {""}
    assert AuditEvent.objects.get(act="keys.rotated").details == {"renewed": 6}


def test_a_run_that_broke_off_goes_on_and_a_second_one_finds_nothing(keys):
    old, new = keys
    sealed_with(old)
    steps = rotate_keys.rotate([new, old], batch=2)
    assert next(steps)[2] == 2
    steps.close()
    assert rotate_keys.count([new, old]).by_key == [2, 4]
    run([new, old], batch=2)
    assert "3 looked at, 0 sealed again" in run([new, old])


def test_the_check_changes_nothing_and_refuses_while_the_oldest_key_is_needed(keys):
    old, new = keys
    sealed_with(old, 1)
    with pytest.raises(CommandError, match="the oldest key is still needed"):
        run([new, old], check=True)
    assert rotate_keys.count([new, old]).by_key == [0, 2]
    run([new, old])
    assert "All 2 secrets" in run([new, old], check=True)
    assert "All 2 secrets open with the newest key.\n" in run([new], check=True)


def test_a_secret_that_no_key_opens_is_named_and_left_alone(keys):
    old, new = keys
    sealed_with(old, 1)
    with pytest.raises(CommandError, match="open with none of today's 1 FIELD_KEYS") as problem:
        run([new])
    assert f"service {Service.objects.values_list('pk', flat=True).get()}, api_key" in str(problem.value)
    assert rotate_keys.count([old]).by_key == [2]


def test_a_value_that_changes_in_between_is_not_overwritten(keys):
    old, new = keys
    sealed_with(old, 1)
    [(pk, before)] = rotate_keys._raw(Service, "api_key")
    keyring.load([new, old])
    Service.objects.update(api_key="typed meanwhile")
    assert rotate_keys._exchange(Service, "api_key", pk, before, "stale") == 0
    assert Service.objects.get().api_key == "typed meanwhile"


def test_the_columns_are_found_by_their_kind():
    found = {f"{model._meta.label_lower}.{name}" for model, name in rotate_keys.secret_fields()}
    assert {"sms.service.api_key", "sms.service.jwt_secret", "sms.service.receipt_secret_before"} <= found
