"""Approval holds at every door: what programs, the command line and the admin make waits as well, and says so."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from sms.models import ApprovalRules, Callback, Message, Send, SendState
from sms.sends import answers, holds
from tests.support.approvals import a_person, acting, request_of
from tests.support.drop_in import body, get, post
from tests.support.pages import add_send, add_send_form
from tests.support.partners import a_key, a_partner, a_partner_service
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
BODY = {"text": "Hello", "recipients": ["+447700900101"]}


def careful(service, approvers: int = 1):
    ApprovalRules.objects.create(service=service, size=1, size_approvers=approvers)
    return service


def posted() -> list[str]:
    provider = Provider()
    provider.dispatch()
    return provider.numbers


def say_yes(send: Send, name: str = "bob") -> None:
    person, request = a_person(name, send.service), request_of(send)
    answers.approve(request, by=acting(person), seen=request.fingerprint)


def test_a_partner_of_the_drop_in_is_answered_as_ever_and_waits():
    service = careful(a_partner_service())
    key = a_key(service)
    answer = post(key, body())
    assert answer.status_code == 201
    assert get(key, answer.json()["messageId"]).json()["status"] == "queued"
    assert posted() == []
    say_yes(Send.objects.get())
    assert posted() == ["447700900001"]


def test_the_api_says_how_an_approval_stands():
    service, partner = a_partner()
    careful(service, approvers=2)
    made = partner.post("sends", BODY, Idempotency_Key="k1").json()
    assert made["state"] == "awaiting"
    assert made["approval"]["approvers"] == 2 and made["approval"]["given"] == 0
    assert [rule["rule"] for rule in made["approval"]["rules"]] == ["size"]
    assert posted() == []
    send = Send.objects.get()
    say_yes(send)
    seen = partner.get(f"sends/{send.pk}")
    assert seen.json()["approval"]["given"] == 1
    assert partner.get(f"sends/{send.pk}", If_None_Match=seen["ETag"]).status_code == 304
    say_yes(send, "eve")
    assert partner.get(f"sends/{send.pk}").json()["approval"]["state"] == "approved"
    assert posted() == ["447700900101"]
    assert [row["state"] for row in partner.get("sends?state=awaiting").json()["items"]] == []


def test_a_dry_run_says_who_must_approve_and_why():
    service, partner = a_partner()
    assert partner.post("sends/plan", BODY).json()["approval"]["approvers"] == 0
    careful(service)
    plan = partner.post("sends/plan", BODY).json()["approval"]
    assert (plan["approvers"], plan["eligible"], plan["rules"][0]["rule"]) == (1, 0, "size")
    assert "no one could approve" in plan["detail"]


def test_what_waits_can_be_moved_cancelled_and_stopped_by_a_program():
    service, partner = a_partner()
    careful(service)
    for act in ("cancel", "stop"):
        partner.post("sends", BODY, Idempotency_Key=act)
        send = Send.objects.latest("pk")
        later = (timezone.now() + timedelta(days=2)).isoformat()
        moved = partner.call("PATCH", f"sends/{send.pk}", {"send_at": later})
        assert moved.status_code == 200, moved.content
        assert moved.json()["state"] == "awaiting"
        assert request_of(send).changed == ["due_at"]
        answer = partner.post(f"sends/{send.pk}/{act}", Idempotency_Key=f"{act}2")
        assert answer.json() == {"stopped": 1, "state": "cancelled"}
        assert request_of(send).state == "withdrawn"


def test_a_no_cancels_what_a_program_made():
    service, partner = a_partner()
    careful(service)
    partner.post("sends", BODY, Idempotency_Key="k1")
    send = Send.objects.get()
    bob, request = a_person("bob", service), request_of(send)
    answers.reject(request, by=acting(bob), seen=request.fingerprint, comment="No.")
    shown = partner.get(f"sends/{send.pk}").json()
    assert (shown["state"], shown["counts"], shown["approval"]["state"]) == (
        "cancelled",
        {"cancelled": 1},
        "rejected",
    )
    assert not Callback.objects.exists()


def test_the_command_line_says_that_it_waits(tmp_path, capsys):
    from tests.support.approvals import a_careful_service

    a_careful_service()
    path = tmp_path / "people.csv"
    path.write_text("number\n+447710000001\n")
    arguments = ["--service=shop", "--sender=SHOP", "--text=Hi", f"--audience={path}"]
    call_command("send", *arguments)
    assert "waits for the approval of one person" in capsys.readouterr().err
    call_command("send", *arguments, "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "awaiting"
    assert posted() == []


def test_the_admin_asks_too():
    cast = a_cast()
    careful(cast.service)
    add_send(cast["admin"], add_send_form(cast))
    send = Send.objects.get()
    assert send.state == SendState.AWAITING
    assert posted() == []
    with pytest.raises(answers.ApprovalRefused, match="You wrote this"):
        admin = send.created_by
        answers.approve(request_of(send), by=acting(admin), seen=request_of(send).fingerprint)


def test_a_hold_on_what_waits_stands_after_the_yes():
    service, partner = a_partner()
    careful(service)
    partner.post("sends", BODY, Idempotency_Key="k1")
    send = Send.objects.get()
    standing = holds.hold(send, by=BY, because="Wait.")
    say_yes(send)
    assert posted() == []
    assert Message.objects.get().state == "pending"
    holds.lift(standing, by=BY)
    assert posted() == ["447700900101"]
