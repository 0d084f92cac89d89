"""Names of files that leave a service: nobody takes what the sandbox said for what happened to people."""

import re

import pytest
from django.db import transaction
from django.http.response import HttpResponseBase

from sms.models import Draft, Service
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
FILES = re.compile("export|reject|report_file|certificate|download|disclos|send_messages|bulk_act")


def name_of(answer: HttpResponseBase) -> str:
    return "".join(
        re.findall(r'^attachment; filename="([^"]+)"', answer.headers.get("Content-Disposition", ""))
    )


def test_every_file_of_a_sandbox_says_so_in_its_name():
    cast = a_cast(waiting=True)
    Service.objects.filter(pk=cast.service.pk).update(base_url="http://127.0.0.1:9")
    cast.service.refresh_from_db()
    assert cast.service.is_sandbox
    person = cast.users["admin"]
    person.is_superuser = True  # every act
    person.save()
    client, send = cast["admin"], a_send(cast.service)
    found = {}
    for path, name, _ in SERVICE_PAGES:
        if not FILES.search(name):
            continue
        with transaction.atomic():  # what the press did is undone, so that the next one finds what it needs
            draft = Draft.objects.create(service=cast.service)
            url = address(path, cast.service, send, draft, furnished=True)
            for answer in (client.get(url), client.post(url, {"form": "csv", "kind": "csv"})):
                if file := name_of(answer):
                    found[name] = file
                    b"".join(answer)  # a file is closed once it is read
            transaction.set_rollback(True)
    assert {"messages_export", "audit_export", "audience_export", "opt_out_export", "replies_export"} <= set(
        found
    )
    assert {name: file for name, file in found.items() if "-sandbox." not in file} == {}
