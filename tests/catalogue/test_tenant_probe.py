"""The tenant probe against the sandbox: over the page, with a person who looks at the sandbox's phone, it finds how that tenant is set."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.models import Role
from sms.catalogue.tenant_probe import QUESTIONS
from sms.models import (
    AuditEvent,
    Message,
    OptOut,
    ProbeFinding,
    ProbePost,
    ProbeReceipt,
    ProbeStep,
    ReceiptInbox,
    Service,
    ShortLinkDomain,
    Smartlink,
    TenantProbe,
)
from sms.webex.sandbox.switches import switches_of
from tests.environment import ROOT
from tests.sandbox.running import Clock, Receiver, Running, receiver, sandbox
from tests.support.jobs import run_job
from tests.support.people import signed_in
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db

NUMBER = "+447946000123"
WEBHOOK = "w" * 43
LONGEST_WAIT = 10.0


@dataclass
class Desk:
    """A service at a sandbox, a person at its page with a phone in hand, and the way of receipts between the two."""

    tenant: Running
    taken: Receiver
    service: Service
    page: Client
    clock: Clock
    throttle: str = ""
    copies: int = 1  # of each receipt
    passed_on: int = 0

    def post(self, path: str, **data: str) -> Any:
        return self.page.post(f"/s/shop/settings/tenant/{path}", data, follow=True)

    def begin(self) -> None:
        extra = {
            "sender": str(self.service.senders.get().pk),
            "link_domain": str(ShortLinkDomain.objects.get().pk),
            "smartlink": str(Smartlink.objects.get().pk),
        }
        assert self.post("start/", number=NUMBER, **extra).status_code == 200
        assert TenantProbe.objects.count() >= 1

    def step(self, question: str) -> ProbeStep:
        return ProbeStep.objects.filter(probe__ended_at=None).get(question=question)

    def ask(self, question: str) -> ProbeStep:
        step = self.step(question)
        self.post(f"{step.pk}/ask/")
        return self.step(question)

    def answer(self, question: str, choice: str) -> None:
        self.post(f"{self.step(question).pk}/answer/", choice=choice)

    def settle(self, only: str = "") -> None:
        """Wait until the sandbox has told the end of every message, and pass on what it posted to our address."""
        until = time.monotonic() + LONGEST_WAIT
        while True:
            ended = (one for one in self.tenant.log("receipt") if one["status"] != "Submitted")
            told = Counter(one["correlationId"] for one in ended)
            if all(told[one["correlationId"]] >= self.copies for one in self.tenant.log("message")):
                break
            assert time.monotonic() < until, "receipts that did not come"
            time.sleep(0.02)
        for one in self.taken.got[self.passed_on :]:
            self.passed_on += 1
            if only and only not in one.body.decode():
                continue
            signature = one.headers.get("x-hub-signature")
            headers = {"x-hub-signature": signature} if signature else {}
            answer = Client().post(one.path, one.body, content_type="application/json", headers=headers)
            assert answer.status_code == 200

    def phone(self) -> list[dict[str, Any]]:
        phones = self.tenant.get("/__sandbox__/handsets", {"Accept": "application/json"}).json
        return phones.get(NUMBER, [])

    def arrived(self) -> list[str]:
        return [one["text"] for one in self.phone() if one["status"] == "Delivered"]

    def change(self, **settings: Any) -> None:
        assert self.tenant.call("POST", "/__sandbox__/settings", settings).status == 200

    def found(self) -> dict[str, str]:
        return dict(ProbeFinding.objects.order_by("id").values_list("doubt", "value"))


@contextmanager
def desk(settings: Any, switches: list[str], **options: Any) -> Iterator[Desk]:
    clock = Clock()
    with receiver() as taken:
        root = taken.url.removesuffix("/receipts")
        if options.pop("webhook", False):
            options["webhook"] = f"{root}/receipts/{WEBHOOK}/"
        with sandbox(switch=switches, clock=clock, **options) as tenant:
            settings.PUBLIC_URL = root
            service = a_service(base_url=tenant.url, webhook_token=WEBHOOK)
            ShortLinkDomain.objects.create(service=service, region=service.region, host="uk.wbxc.io")
            Smartlink.objects.create(service=service, name="app", smartlink_id=4371)
            page = signed_in("ada@example.test", service, Role.ADMIN)
            both = "webhook" in options and "webhook_beside=both" in switches
            yield Desk(tenant, taken, service, page, clock, copies=2 if both else 1)


def look_at_pair(texts: list[str]) -> str:
    """As a person would: which of the choices fits what the two messages show."""
    rounds = ["Round: red." in text or "Round: blue." in text for text in texts]
    curls = ["Curly: red." in text or "Curly: blue." in text for text in texts]
    kinds = {(True, False): "round", (False, True): "curly", (True, True): "both", (False, False): "neither"}
    assert len(set(rounds)) == len(set(curls)) == 1
    return kinds[rounds[0], curls[0]]


def run_through(desk: Desk) -> None:
    """Every question, answered by what the phone shows."""
    desk.begin()
    desk.ask("plain")
    desk.settle()
    if not desk.arrived():
        desk.answer("plain", "never")
        assert desk.step("plain").state == ProbeStep.State.OPEN
        desk.ask("plain")
        desk.settle()
    desk.answer("plain", "came")
    desk.ask("pair")
    desk.settle()
    desk.answer("pair", look_at_pair(desk.arrived()[-2:]))
    desk.ask("links")
    desk.settle()
    desk.answer("links", "short" if "https://uk.wbxc.io/" in desk.arrived()[-1] else "long")
    for question, whole in (("length", "whole"), ("emoji", "came")):
        before = len(desk.arrived())
        if desk.ask(question).state == ProbeStep.State.POSTED:
            desk.settle()
            desk.answer(question, whole if len(desk.arrived()) > before else "never")
    desk.change(outcomes={NUMBER: "expired"})  # the phone is off
    before = len(desk.arrived())
    desk.ask("validity")
    desk.settle()
    desk.change(outcomes={NUMBER: None})
    desk.answer("validity", "late" if len(desk.arrived()) > before else "dropped")
    desk.ask("smartlink")
    desk.settle()
    desk.clock.at += 10
    path = desk.arrived()[-1].partition("https://uk.wbxc.io")[2]
    desk.answer("smartlink", "opens" if desk.tenant.get(path).status == 302 else "ended")
    if desk.throttle:
        desk.change(faults={"throttle": desk.throttle})
    desk.ask("throttle")
    desk.change(faults={"throttle": ""})


TENANTS = {
    "as documented": ([], {}, ""),
    "the worst": (
        [
            *("inline_values=templates", "reply_to_many=list", "ids_of_many=same", "options_tags=required"),
            *("fallback_flag=required", "smartlink_validity=seconds", "validity_kept=no", "plus=required"),
            *("accepted_as=202", "reply_time=offset", "receipt_time=-04:00", "receipt_number=plus"),
            *("long_text=reply", "signed=both", "webhook_beside=both", "characters=utf16"),
        ],
        {"hub_secret": "sim-hub-secret-01", "webhook": True},
        "7020",
    ),
    "braces": (
        [
            *("placeholder=braces", "reply_to_many=object_with_list", "ids_of_many=own"),
            *("options_tags=required", "accepted_as=200", "receipt_time=+00:00", "webhook_beside=webhook"),
        ],
        {"text_limit": 4000, "webhook": True},
        "429",
    ),
    "both": (
        [
            *("placeholder=both", "fallback_flag=required", "smartlink_validity=seconds"),
            *("signed=webhook", "webhook_beside=notify_url"),
        ],
        {"text_limit": 4000, "hub_secret": "sim-hub-secret-01", "webhook": True},
        "",
    ),
}
OF_THE_SANDBOX = (
    *("accepted_as", "reply_time", "receipt_time", "receipt_number", "plus", "reply_to_many", "ids_of_many"),
    *("inline_values", "placeholder", "options_tags", "fallback_flag", "smartlink_validity", "validity_kept"),
)


@pytest.mark.parametrize("name", TENANTS)
def test_a_run_finds_exactly_how_the_sandbox_is_set(settings, name):
    given, options, throttle = TENANTS[name]
    with desk(settings, given, **options) as at:
        at.throttle = throttle
        run_through(at)
        truth = switches_of(given)
        found = at.found()
        expected = {one: getattr(truth, one) for one in OF_THE_SANDBOX}
        if truth.inline_values == "templates":
            del expected["placeholder"]  # nothing shows it
        assert {one: value for one, value in found.items() if one in OF_THE_SANDBOX} == expected
        assert found["text_limit"] == str(options.get("text_limit", 1024))
        if found["text_limit"] == "1024":
            assert found["length_unit"] == {"points": "characters", "utf16": "utf16"}[truth.characters]
        assert found.get("throttle_as", "") == throttle
        assert found["both_fire"] == (truth.webhook_beside if "webhook" in options else "notify_url")
        if found["both_fire"] != "webhook":
            signed = "hub_secret" in options and truth.signed != "webhook"
            assert found["notify_signed"] == ("yes" if signed else "no")
            assert Service.objects.get().notify_url_signed == signed
        assert (found["own_receipts"], found["ids_match"]) == ("yes", "yes")
        sent = len(at.tenant.log("message"))
        assert sent <= 12
        assert sum(ProbePost.objects.values_list("cost", flat=True)) >= sent
        columns_follow(Service.objects.get(), truth, found)
        # receipts of a probe are kept with it, and are nobody's orphans
        assert not ReceiptInbox.objects.exists()
        assert not Message.objects.exists()
        at.post("end/")
        probe = TenantProbe.objects.get()
        assert probe.ended_at is not None
        assert probe.msisdn == ""
        digits = NUMBER.lstrip("+")
        kept = [*ProbePost.objects.values_list("body", "reply"), *ProbeReceipt.objects.values_list("raw")]
        assert not any(digits in text for texts in kept for text in texts), "the number is forgotten"
        page = at.page.get("/s/shop/settings/tenant/").content.decode()
        assert page.count("Proved:") == len(found)
        assert {
            "tenant_probe.started",
            "tenant_probe.asked",
            "tenant_probe.answered",
            "tenant_probe.ended",
        } <= set(AuditEvent.objects.values_list("act", flat=True))


def columns_follow(service: Service, truth: Any, found: dict[str, str]) -> None:
    forms = {"parentheses": "parentheses", "both": "parentheses", "braces": "braces"}
    inline = forms[truth.placeholder] if truth.inline_values == "fill" else "templates"
    assert service.inline_values == inline
    assert (service.fills_inline or "templates") == inline
    optional = truth.options_tags == truth.fallback_flag == "optional"
    assert service.link_fields == ("given" if optional else "all")
    assert service.smartlink_unit == truth.smartlink_validity
    assert service.validity_kept == (truth.validity_kept == "yes")
    assert service.text_limit == int(found["text_limit"])
    assert service.e164_plus == (truth.plus == "required")


def test_a_run_never_sends_more_than_its_dozen(settings):
    with desk(settings, []) as at:
        at.begin()
        for _ in range(20):
            step = at.ask("pair")
            ProbeStep.objects.filter(pk=step.pk).update(state=ProbeStep.State.UNANSWERED)
        assert len(at.tenant.log("message")) == 12
        page = at.post(f"{at.step('pair').pk}/ask/").content.decode()
        assert "It would be more than 12 messages." in page


def test_a_refused_request_is_not_counted_and_receipts_sign_in_as_those_of_messages_do(settings):
    with desk(settings, ["options_tags=required", "fallback_flag=required"]) as at:
        Service.objects.update(notify_url_auth_id="TNP000000A")
        at.begin()
        at.ask("links")
        assert list(ProbePost.objects.values_list("variant", "cost", "accepted")) == [
            ("three", 0, False),
            ("tags", 0, False),
            ("flag", 0, False),
            ("six", 1, True),
        ]
        assert all('"notifyUrlAuthId":"TNP000000A"' in one.body for one in ProbePost.objects.all())


def test_what_was_sent_when_the_process_died_counts_and_can_be_answered(settings):
    """The step is committed before the first byte leaves; another process, or the same page next day, goes on from there."""
    with desk(settings, []) as at:
        at.begin()
        step = at.step("plain")
        ProbePost.objects.create(step=step, variant="digits", cost=1, at=step.probe.started_at)
        ProbeStep.objects.filter(pk=step.pk).update(state=ProbeStep.State.POSTED)
        page = at.page.get("/s/shop/settings/tenant/").content.decode()
        assert "No answer came, so we cannot tell whether it was sent." in page
        assert "1 of 12" in page
        at.answer("plain", "never")
        assert at.step("plain").state == ProbeStep.State.UNANSWERED
        assert not at.found()


def test_other_credentials_put_the_answers_aside_until_a_person_says_that_the_tenant_is_the_same(settings):
    with desk(settings, []) as at:
        at.begin()
        at.ask("pair")
        at.settle()
        at.answer("pair", look_at_pair(at.arrived()))
        at.post("end/")
        assert Service.objects.get().fills_inline == "parentheses"
        form = at.page.get("/s/shop/settings/").context["form"]
        typed = {name: value for name, value in form.initial.items() if value is not None}
        at.page.post("/s/shop/settings/", typed | {"api_key": "another-key"})
        assert Service.objects.get().api_key == "another-key"
        assert Service.objects.get().fills_inline is None
        page = at.page.get("/s/shop/settings/tenant/").content.decode()
        assert "Proved:" not in page
        assert "does not count any more" in page
        at.post("keep/")
        assert Service.objects.get().fills_inline == "parentheses"


def test_what_nobody_can_explain_is_never_relied_on(settings):
    with desk(settings, []) as at:
        at.begin()
        at.ask("pair")
        at.settle()
        at.answer("pair", "other")
        assert Service.objects.get().fills_inline is None


def test_a_switch_is_set_by_hand_but_not_the_one_that_phones_would_show(settings):
    with desk(settings, []) as at:
        changed = {
            "link_fields": "given",
            "link_tag1": "ours",
            "link_tag2": "sms",
            "length_unit": "characters",
            "smartlink_unit": "seconds",
            "inline_values": "parentheses",
        }
        at.post("switches/", **changed)
        service = Service.objects.get()
        assert (service.link_fields, service.link_tag1, service.smartlink_unit) == (
            "given",
            "ours",
            "seconds",
        )
        assert service.inline_values == "templates"
        refused = at.post("switches/", **(changed | {"link_tag1": "no tag"}))
        assert refused.status_code == 422
        assert "Please fix 1 thing" in refused.content.decode(), "above, since the field is far down"


def test_neither_an_opted_out_phone_nor_a_paused_service_is_sent_to(settings):
    with desk(settings, []) as at:
        OptOut.objects.create(service=at.service, msisdn=NUMBER, source="page")
        sender = str(at.service.senders.get().pk)
        assert "opted out" in at.post("start/", number=NUMBER, sender=sender).content.decode()
        OptOut.objects.all().delete()
        at.begin()
        Service.objects.update(paused_at="2026-01-01T00:00Z", paused_because="Out of credit.")
        at.ask("plain")
        assert not at.tenant.log("message")


def test_the_command_is_the_same_run(settings, monkeypatch, capsys):
    with desk(settings, []) as at:
        at.begin()
        typed = iter(["y", "1", "q"])
        monkeypatch.setattr("builtins.input", lambda _: next(typed))
        with pytest.raises(CommandError, match="goes on from here"):
            call_command("probe", service="shop")
        assert at.step("plain").state == ProbeStep.State.ANSWERED
        call_command("probe", service="shop", status=True)
        said = capsys.readouterr().out
        assert "Has “Textdesk check A” arrived" in said
        assert "Numbers with +: Without +. (proved" in said
        call_command("probe", service="shop", end=True)
        assert TenantProbe.objects.get().msisdn == ""


def test_the_document_says_what_each_question_costs():
    page = (ROOT / "docs/operators/tenant-probe.md").read_text("utf-8")
    for one in QUESTIONS.values():
        assert f"| {one.title} | {one.messages} | {one.segments} |" in page


def test_a_run_that_was_left_open_ends_by_itself_and_late_receipts_hold_no_number(settings):
    with desk(settings, []) as at:
        at.begin()
        at.ask("plain")
        run_job("abandoned tenant probes")
        assert TenantProbe.objects.get().ended_at is None
        TenantProbe.objects.update(started_at=timezone.now() - timedelta(days=8))
        run_job("abandoned tenant probes")
        assert TenantProbe.objects.get().msisdn == ""
        at.settle()
        assert ProbeReceipt.objects.count() == 2
        assert not ProbeReceipt.objects.filter(raw__contains=NUMBER.lstrip("+")).exists()


def test_a_tenant_without_a_receipt_for_each_gets_one_message_in_each_request(settings):
    with desk(settings, []) as at:
        Service.objects.update(batch_size=50)
        at.begin()
        at.ask("pair")
        first = at.tenant.log("message")[0]["correlationId"]
        at.settle(only=first)
        at.answer("pair", look_at_pair(at.arrived()))
        service = Service.objects.get()
        assert (service.batch_size, service.fills_inline) == (1, None)
        assert at.found()["own_receipts"] == "no"
