"""A number that is in every place is shown whole on no page, to no role, to no key without the scope, in no mail and in no file but an
export: the planting of the erasure's tests, and then every address."""

import re
from collections import Counter

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from portal.models import Role
from sms.models import Label, ReportSchedule, SavedAudience, Send
from tests.compliance import planted
from tests.compliance.scan import bare
from tests.compliance.walked import addresses_of_the_api, pages, pages_of_the_admin
from tests.support.partners import ALL, Partner, a_key
from tests.support.people import a_person

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
]  # what pages and logs show does not hang on it
SHOWN = re.compile(rb"7710000000")
# what a person types into a draft is theirs to see while they write; rows of others are in test_numbers_stay_hidden
WRITING = re.compile(r"draft|compose|rhythm")
EXPORTS = {"send_rejects"}  # audited, for those who may, and for those who have to put their own file right


@pytest.fixture
def service(state_folder):
    made, _ = planted.everywhere(by_hand=False)
    # what people call their things is theirs; mails and logs mask it, below
    Send.objects.filter(name__contains="07710").update(name="Spring", client_reference="")
    Send.objects.filter(source__contains="7710").update(source="list.csv")
    # a program wrote the number in a form that the wire does not take: nobody is known by it
    Send.objects.exclude(messages__msisdn=planted.NUMBER).update(callback_data="", notify_url="")
    SavedAudience.objects.update(name="Regulars", note="")
    LogEntry.objects.all().delete()  # of Django, where our admin writes names of fields
    ReportSchedule.objects.update(name="Weekly")
    Label.objects.filter(word__contains="7710").update(word="vip")
    return made


def whole(response) -> bool:
    body = b"".join(response) if response.streaming else response.content
    return bool(SHOWN.search(bare(body)))


@pytest.mark.sqlite  # pages hide numbers in Python; that each opens on both databases is looked at by test_access
def test_no_page_shows_it_to_anybody(service):
    shown, walked = Counter[str](), 0
    for who in [*Role.values, "superuser"]:
        role = Role.ADMIN if who == "superuser" else who
        staff = who in (Role.ADMIN, "superuser")
        person = a_person(f"{who}@x.test", service, role, is_staff=staff, is_superuser=who == "superuser")
        client = Client()
        client.force_login(person)
        for name, at in [*pages(service), *(pages_of_the_admin() if staff else ())]:
            if WRITING.search(name) or name in EXPORTS:
                continue
            answer = client.get(at)
            assert answer.status_code < 500, at
            walked += answer.status_code == 200
            if answer.status_code == 200 and whole(answer):
                shown[f"{name} as {who}: {at}"] += 1
    assert sorted(shown) == []
    assert walked > 400


def test_no_key_without_the_scope_reads_it(service):
    scopes = [one for one in ALL if one != "numbers"]
    partner, seen = Partner(a_key(service, name="Reader", scopes=scopes)), 0
    shown = []
    for _, at in addresses_of_the_api(service):
        answer = partner.client.get(at, headers={"key": partner.token})
        seen += answer.status_code == 200
        if whole(answer):
            shown.append(at)
    assert shown == []
    assert seen > 30
