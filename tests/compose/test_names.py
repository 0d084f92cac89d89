"""Names of sends: one line by every way in, and nothing of the text or of a number where nobody gave one."""

import pytest
from django.core import mail
from django.core.management import call_command

from sms.audiences.files import Limits
from sms.compose import drafts
from sms.compose.create import create
from sms.models import ApprovalRules, Draft, Send
from tests.support.jobs import run_job
from tests.support.pages import add_send
from tests.support.partners import a_partner
from tests.support.people import a_cast
from tests.support.sends import BY, an_order

pytestmark = pytest.mark.django_db
BROKEN = "Spring\r\nBcc: x@example.test\x85\u2028\x1b[1m and\tsummer"
ONE_LINE = "Spring Bcc: x@example.test [1m and summer"


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def by_draft(cast, name):
    draft = Draft.objects.create(
        service=cast.service, sender=cast.service.senders.get(), text="Hi", pasted="07700900351", name=name
    )
    return drafts.send_draft(draft, by=BY, limits=Limits())


def by_api(cast, name):
    _, partner = a_partner(service=cast.service)
    asked = {"text": "Hi", "recipients": ["+447700900351"], "name": name}
    assert partner.post("sends", asked, Idempotency_Key="k").status_code == 201
    return Send.objects.get()


def by_admin(cast, name):
    asked = {
        "service": cast.service.pk,
        "name": name,
        "sender": cast.service.senders.get().pk,
        "text": "Hi",
        "recipients_text": "07700900351",
    }
    answer = add_send(cast["admin"], asked)
    assert answer.status_code == 302, answer.content.decode()
    return Send.objects.get()


def by_command(cast, name, folder):
    file = folder / "to.csv"
    file.write_text("number\n07700900351\n")
    call_command("send", service="shop", sender="SHOP", text="Hi", audience=file, name=name)
    return Send.objects.get()


@pytest.mark.parametrize("way", [by_draft, by_api, by_admin, by_command])
def test_a_name_is_one_line_by_every_way_in(cast, way, tmp_path):
    send = way(cast, BROKEN, tmp_path) if way is by_command else way(cast, BROKEN)
    assert send.name == ONE_LINE


def test_a_mail_about_such_a_send_leaves(cast):
    ApprovalRules.objects.create(service=cast.service, size=1, size_approvers=1)
    send = create(an_order(cast.service, name="For 07700 900351\nand more"), by=BY)
    run_job("notice mails")
    (asked,) = mail.outbox
    assert "\n" not in asked.subject and "900351" not in asked.subject + asked.body
    assert send.name == "For 07700 900351 and more"


@pytest.mark.parametrize("text", ["Your code is 493021", "Call 07700 900351 or +447700900352"])
def test_a_name_that_nobody_gave_says_how_many_and_when(cast, text):
    send = create(an_order(cast.service, content=text), by=BY)
    due = send.due_at
    assert send.name == f"To 1 recipient · {due:%d %b %H:%M}"
    page = cast["approver"].get("/s/shop/sends/").content.decode()
    assert send.name in page


def test_a_send_without_a_name_is_found_by_its_text_unless_a_program_made_it(cast):
    create(an_order(cast.service, content="Your parcel is here"), by=BY)
    _, partner = a_partner(service=cast.service)
    asked = {"text": "Your parcel code is 4711", "recipients": ["+447700900351"]}
    partner.post("sends", asked, Idempotency_Key="k")
    found = cast["approver"].get("/s/shop/sends/?q=parcel")
    assert len(found.context["rows"]) == 1
    assert "4711" not in found.content.decode()
