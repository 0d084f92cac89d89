"""A number that is in every place in which the product can put it is afterwards in none: no table, no archive, no file of the desk."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from sms.compliance import audit, disclosure, erasure
from sms.compliance.personal_columns import columns
from sms.inbound.receipts import spool
from sms.models.personal import ColumnKind
from tests.compliance import planted
from tests.compliance.planted import NUMBER, OTHER
from tests.compliance.scan import columns_with, found
from tests.support.sends import BY

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(state_folder):
    return state_folder


def test_a_number_in_every_place_is_afterwards_in_none(folder):
    service, named = planted.everywhere()
    assert planted.left_out(named) == []
    packed = {
        f"{model._meta.label}.{name}"
        for model, name in columns(ColumnKind.PACKED, ColumnKind.RAW)
        if model._meta.app_label == "sms"
    }
    assert packed - named == set()
    assert {"django_q.Task.packed", "portal.PersonsSession.packed"} <= named
    held = disclosure.held_about(service, NUMBER)
    assert "user: own number" in {entry["where"] for entry in held["other_texts"]}
    for kind, entries in held.items():
        said = "".join(char for char in repr(entries) if char not in " -().")
        assert OTHER[3:] not in said, (kind, said[said.find(OTHER[3:]) - 200 :][:300])

    asked = erasure.ask(service, NUMBER, reason="Request 7 of 07710 000000", by=BY)
    assert erasure.perform(asked, folder=folder), asked.waits_for
    asked.refresh_from_db()
    assert [entry for entry in asked.certificate["places"] if entry["left"]] == []
    assert columns_with(NUMBER) == set()
    assert found(NUMBER, service, folder) == []
    assert spool.sweep(lambda records: None) == 0
    assert found(OTHER, service), "somebody else stays"
    assert not audit.verify(service.slug).broken
    if connection.vendor == "sqlite":
        assert NUMBER[3:].encode() not in Path(settings.DATABASES["default"]["NAME"]).read_bytes()
