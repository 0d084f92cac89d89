"""One number in every place in which the product can put it: through the product's own doors where it has one, and by hand where not.

`everywhere` returns the columns that name it afterwards, so that a test sees that no column of the inventory was left out.
"""

import contextlib
import json
from datetime import time, timedelta
from typing import Any

import xlsxwriter
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django_q.models import Task

from portal.going_live.progress import confirm
from portal.models import NumberCode, User
from sms import callbacks, guard, reports
from sms.audiences import packing, saved, storage
from sms.audiences.files import Limits
from sms.catalogue import tenant_probe
from sms.compliance import retention
from sms.compliance.personal_columns import columns, rows_of
from sms.compose import background, comments, drafts
from sms.compose.create import create
from sms.compose.order import Order
from sms.inbound import optouts, receipts
from sms.inbound.optouts import IncomingPost, Refusal, inbound_spool
from sms.inbound.receipts import Incoming, spool
from sms.models import (
    ApprovalRequest,
    ApprovalRules,
    Callback,
    Draft,
    InboundMessage,
    Label,
    Message,
    MessageState,
    NoticeKind,
    OptOut,
    Preparation,
    RecurringSend,
    ReportFile,
    ReportSchedule,
    SavedFilter,
    Service,
    StandingApproval,
    Upload,
)
from sms.models.personal import ColumnKind
from sms.notices import tell
from sms.reports import facts
from sms.sends import answers, bulk, control, holds
from sms.sends.recurring import control as recurring_control
from sms.sends.recurring import make, start
from sms.simulator import receipts as simulator_receipts
from sms.values.sealed_words import seal
from sms.webex.sandbox.in_process import DueReceipt
from tests.compliance.scan import columns_with
from tests.support.approvals import a_person, acting, request_of
from tests.support.callbacks import LOOPBACK
from tests.support.drop_in import body, post
from tests.support.partners import Partner, a_key, a_partner_service
from tests.support.past_sends import a_past_send, run
from tests.support.provider import Provider
from tests.support.receipts import receipt
from tests.support.sends import BY

NUMBER, OTHER = "+447710000000", "+447710000001"
SPELLED = "+44 (0)7710 000-000"
NATIONAL = "07710 000 000"
LIMITS = Limits()


def everywhere(*, by_hand: bool = True) -> tuple[Service, set[str]]:
    """The service that knows the number, and the columns that do."""
    service = a_partner_service(keep_messages=30)
    archived(service)
    ada = a_person("ada", service, "admin", is_staff=True)
    signed_in(ada)
    guarded(service, ada)
    by_partner(service)
    composed(service, ada)
    asked_for(service, ada)
    large(service)
    from_the_person(service)
    told(service)
    kept_lists(service, ada)
    again_and_again(service, ada)
    desk(service, ada)
    on_disk(service)
    probed(service)
    owed_by_the_simulator(service)
    facts.fold()
    service.refresh_from_db()
    if by_hand:
        by_hand_too(service)
    return service, columns_with(NUMBER)


def archived(service: Service) -> None:
    a_past_send(service, 2, days=50, content=f"Hi $(number), call {SPELLED}")
    run(service)
    Service.objects.filter(pk=service.pk).update(keep_messages=None)


def signed_in(ada: User) -> None:
    """A colleague's own number, and what a page remembers of a visit."""
    client = Client()
    client.force_login(ada)
    User.objects.filter(pk=ada.pk).update(own_number=NUMBER)
    NumberCode.objects.create(user=ada, number=NUMBER, digest="x", sent_at=timezone.now())
    session = client.session
    session["next"] = f"/search?q={NUMBER}"
    session.save()


def guarded(service: Service, ada: User) -> None:
    """A change that waited, why a colleague declined it, and who was told."""
    nothing = guard.Operation("sms.Service", service.pk, {})
    change = guard.ask(service.pk, "Settings", nothing, by=acting(ada))
    guard.decline(change, by=acting(ada), because=f"Ask {NATIONAL} first.")
    tell(NoticeKind.MENTION, [ada.pk], event="mention:1", says="Look at this.", service=service)


def by_partner(service: Service) -> None:
    key = a_key(service)
    asked = body(
        NATIONAL,
        OTHER,
        notifyUrl="https://partner.example.com/r?to=447710000000",
        callbackData=f"for {NATIONAL}",
    )
    answer = post(key, asked)
    assert answer.status_code in (201, 207), answer.content
    partner = Partner(a_key(service, name="Crm"))
    order = {
        "text": f"Is {NATIONAL} yours, $(name)?",
        "recipients": [{"number": NUMBER, "values": {"name": NATIONAL}}],
        "name": f"For {NATIONAL}",
        "client_reference": "o-07710000000",
    }
    answer = partner.post("sends", order, Idempotency_Key="k-07710000000")
    assert answer.status_code == 201, answer.content
    assert partner.get(f"messages?number={NATIONAL}").status_code == 400  # kept for the key's page
    ended(service)


def composed(service: Service, ada: User) -> None:
    """A file, a paste and a workbook in drafts; one is sent and has rejects."""
    file = f"name;mobile;friend\r\nAda;{NATIONAL};\r\nBob;{OTHER};{SPELLED}\r\nEve;{SPELLED};\r\n".encode()
    upload = Upload.keep(file, service=service, name="07710000000.csv", user=ada)
    draft = Draft.objects.create(
        service=service,
        upload=upload,
        sender=service.senders.first(),
        text=f"Hi $(name), ask {NATIONAL}",
        name=f"For {NATIONAL}",
        fillings={"name": {"fallback": f"friend of {NATIONAL}"}},
        callback_data=f"of {NATIONAL}",
        tag1="07710000000",
    )
    comments.add(draft, f"Ask {SPELLED} as well", by=acting(ada))
    drafts.send_draft(draft, by=acting(ada), limits=LIMITS, seen=draft.revision)
    ended(service)
    Draft.objects.create(service=service, pasted=f"{SPELLED}\n{OTHER}\n٠٧٧١٠٠٠٠٠٠٠", labels="07710000000")
    path = spool.folder.parent / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet().write_column(0, 0, ["number", 447710000000])
    book_upload = Upload.keep(path.read_bytes(), service=service, name="b.xlsx", user=ada)
    path.unlink()
    Draft.objects.create(service=service, upload=book_upload, name="b")


def asked_for(service: Service, ada: User) -> None:
    """A send that needed a yes, with a comment; a second one that was refused."""
    ApprovalRules.objects.create(service=service, size=1, size_approvers=1)
    bob = a_person("bob", service)
    for yes in (True, False):
        send = create(order(service, f"Ask {NATIONAL}", NUMBER, OTHER), by=acting(ada))
        asked = request_of(send)
        act = answers.approve if yes else answers.reject
        act(asked, by=acting(bob), seen=asked.fingerprint, comment=f"Ask {SPELLED} too")
        ended(service)
    ApprovalRules.objects.all().delete()


def order(service: Service, text: str, *numbers: str) -> Order:
    from sms.audiences.files import read_pasted

    audience = read_pasted("\n".join(numbers), country="GB", limits=LIMITS)
    return Order(
        service=service, sender=service.senders.first(), audience=audience, content=text, labels=["vip"]
    )


def large(service: Service) -> None:
    """A file that is read, and a draft that is checked, in the background: both are done, and so are their figures."""
    lines = [
        "mobile,name",
        f"{NATIONAL},{SPELLED}",
        *(f"0771{at:07d},{'x' * 60}" for at in range(1, 2500)),
        f"{SPELLED},twice",
    ]
    upload = Upload.keep("\n".join(lines).encode(), service=service, name="large.csv", user=None)
    draft = Draft.objects.create(
        service=service, upload=upload, sender=service.senders.first(), text="Hi $(name)"
    )
    for _ in range(3):
        again = Draft.objects.select_related(*drafts.RELATED).get(pk=draft.pk)
        with contextlib.suppress(drafts.NotReady):
            drafts.totals_of(again, limits=LIMITS)
        background.run(stopped=lambda: False)
    assert again.version is not None and again.version.ready_at and again.preparation.result
    # of a check that broke off: what it had until then
    Preparation.objects.filter(draft=draft).update(partial=F("result"))


def from_the_person(service: Service) -> None:
    now = timezone.now()
    for number, text in ((NUMBER, f"Stop {SPELLED}"), (OTHER, f"Call me on {SPELLED}")):
        said = {"oa": number[1:], "da": "SHOP", "message": text, "msgid": number}
        optouts.take(json.dumps(said).encode(), service_id=service.pk, received_at=now)
    optouts.opt_out(service.pk, [Refusal(NUMBER, f"said so on {NATIONAL}")], by=BY, source=OptOut.Source.PAGE)
    optouts.opt_in(service.pk, [NUMBER], by=BY, reason=f"called from {NATIONAL}")


def told(service: Service) -> None:
    """Receipts of every fate, and what partners heard of them."""
    endpoint = callbacks.add(service, name="P", url="http://127.0.0.1:9/", by=BY, policy=LOOPBACK)
    type(endpoint).objects.update(verified_at=timezone.now())
    for raw in (
        receipt("nobody's", transid="x"),
        b'{"destination":"447710000000"',
        json.dumps({"said": f"of {SPELLED}"}).encode(),
    ):
        key = service.correlation_key
        receipts.store(Incoming.read(raw, service_id=service.pk, key=key, received_at=timezone.now()))
    receipts.fold()
    for path, raw in (("receipts", receipt("nobody's", transid="z")), ("inbound", b'{"oa":"447710000000"}')):
        refused = Client().post(f"/{path}/of-nobody/", raw, content_type="application/json")
        assert refused.status_code == 404
    now = timezone.now()
    type(endpoint).objects.update(disabled_at=now, disabled_because=f"It answered {NUMBER}.")
    for state in ("delivered", "waiting"):
        done = {"next_at": now} if state == "waiting" else {"done_at": now}
        said = json.dumps({"to": NUMBER})
        Callback.objects.create(
            endpoint=endpoint,
            event_id=state,
            kind="k",
            body=said,
            state=state,
            created_at=now,
            since=now,
            **done,
        )


def kept_lists(service: Service, ada: User) -> None:
    said = {"user": ada, "service": service, "name": "Mine", "query": "label=vip", "shared": True}
    SavedFilter.objects.create(of="sends", **said)
    sealed = {"query": f"for={seal(NATIONAL, key=service.number_key)}"}
    SavedFilter.objects.create(of="messages", **said | sealed)
    send = service.sends.latest("pk")
    act = bulk.choose(
        service, "sends.label", [send.pk], user=ada, given="vip", more=False, now=timezone.now()
    )
    bulk.perform(act, by=acting(ada), clock=timezone.now)
    packed = packing.pack_pasted(f"{NATIONAL}\n{SPELLED}\n{OTHER}", country="GB", limits=LIMITS)
    kept = saved.create(service, packed, name=f"List of {NATIONAL}", note=f"Ask {NATIONAL}", by=acting(ada))
    saved.rename(kept, name=f"Those of {NATIONAL}", note=f"Ask {SPELLED}", by=BY)
    saved.replace(kept, packing.pack_pasted(NUMBER, country="GB", limits=LIMITS), by=acting(ada))


def again_and_again(service: Service, ada: User) -> None:
    """A recurring send whose occurrence failed, with a standing approval that ended."""
    packed = packing.pack_pasted(OTHER, country="GB", limits=LIMITS)
    audience = saved.create(service, packed, name="Again", by=acting(ada))
    content = {"text": "Hello", "sender": service.senders.first(), "created_by": ada}
    draft = Draft.objects.create(service=service, audience=audience, **content)
    now = timezone.now()
    new = RecurringSend(name=f"For {NATIONAL}", every="daily", at=time(12), starts_on=now.date())
    made = start.start(draft, new, by=acting(ada))
    saved.archive(audience, by=acting(ada))
    make.make_due(now=made.next_at + timedelta(hours=3))
    RecurringSend.objects.filter(pk=made.pk).update(trouble=f"Ask {NATIONAL}")
    told = {"label": "bob", "parts": {}, "rules": [], "recipients": 1, "most": 1, "given_at": now}
    StandingApproval.objects.create(
        recurring=made,
        by=ada,
        request=ApprovalRequest.objects.filter(service=service).first(),
        expires_at=now,
        ended_at=now,
        ended_because=f"Ask {NATIONAL}",
        **told,
    )
    recurring_control.end(made, by=acting(ada))


def desk(service: Service, ada: User) -> None:
    """What people write down, what a report says, and what a task was doing when it broke off."""
    standing = holds.hold(service.senders.first(), by=BY, because=f"{NATIONAL} complains")
    holds.lift(standing, by=BY)
    confirm(service, "backup", by=BY, note=f"Restored by the owner of {NATIONAL}")
    to_another = create(order(service, "Hello", OTHER), by=BY)
    ended(service)
    retention.hold(to_another, because=f"Case of {NATIONAL}", by=BY)
    control.pause_everything(service, by=BY, because=f"Because of {NATIONAL}")
    facts.fold()
    today = timezone.now().date()
    asked = reports.ReportQuery(service.pk, service.facts_clock, today - timedelta(days=29), today, by="send")
    ReportFile.objects.create(service=service, kind="csv", query=asked.parameters, asked_by=ada)
    reports.make_files()
    ReportSchedule.objects.create(
        service=service, name=f"Of {NATIONAL}", next_at=timezone.now() + timedelta(days=1), made_by="ada"
    )
    LogEntry.objects.log_actions(ada.pk, [service], CHANGE, change_message=f"Because of {NATIONAL}")
    now = timezone.now()
    broke = f"Failing row contains ({NUMBER}, 7)"
    Task.objects.create(id="7", name="t", func="f", started=now, stopped=now, success=False, result=broke)


def probed(service: Service) -> None:
    """A tenant probe to the number, with a request that names it whatever becomes of the number."""
    probe = tenant_probe.start(service, msisdn=NUMBER, sender=service.senders.get(), by=BY)
    step, now = probe.steps.get(question="plain"), timezone.now()
    asked = step.posts.create(variant="digits", cost=1, body=f"to {NATIONAL}", reply=f"of {NUMBER}", at=now)
    asked.receipts.create(place=0, raw=f"to {NATIONAL}", at=now)


def owed_by_the_simulator(service: Service) -> None:
    """A receipt of a test key's send that is not due yet."""
    now = timezone.now().timestamp()
    due = DueReceipt(now + 60, receipt("owed", transid="owed", info={"destination": NUMBER[1:]}))
    simulator_receipts.keep([due], service_id=service.pk, key=service.correlation_key, now=now)


def on_disk(service: Service) -> None:
    """What could not be brought in."""
    now = timezone.now()
    spool.append([Incoming(service.pk, receipt("n", transid="y"), now)])
    refused = [path.replace(path.with_suffix(".kept")) for path in spool.folder.glob("*.spool")]
    assert refused
    said = {"oa": "447710000000", "da": "SHOP", "message": "Hi", "msgid": "late"}
    inbound_spool.append([IncomingPost(service.pk, json.dumps(said).encode(), now)])
    inbound_spool.append([IncomingPost(service.pk, json.dumps(said | {"msgid": "kept"}).encode(), now)])
    for path in sorted(inbound_spool.folder.glob("*.spool"))[1:]:
        path.replace(path.with_suffix(".kept"))


# a value stands in them for another row, or for a thing of ours, and is checked by the database
BY_HAND_NEVER = {
    "sms.Message.msisdn": "messages of the number are made by every door above",
    "sms.Message.detail": "codes of the provider",
    "sms.Erasure.digest": "a digest",
    "sms.Erasure.reason": "cleaned as it is written",
    "sms.Click.ip": "an address of a network, which goes with its message",
}


def by_hand_too(service: Service) -> None:
    """Whatever column of texts or numbers does not name it yet, in a row that is there."""
    without = list[str]()
    for label, name in left_out(columns_with(NUMBER)):
        model = apps.get_model(label)
        row = rows_of(model, service).order_by("-pk").first()
        if row is None:
            without.append(label)
            continue
        field = model._meta.get_field(name)
        value: Any = [f"of {NATIONAL}"] if isinstance(field, models.JSONField) else NUMBER
        model._base_manager.filter(pk=row.pk).update(**{name: value})
    assert without == [], f"no rows of {without} to put a number into: let a door above make some"


def left_out(found: set[str]) -> list[tuple[str, str]]:
    """Columns of the inventory that may name a person and do not."""
    return [
        (model._meta.label, name)
        for model, name in columns(ColumnKind.TEXT, ColumnKind.NUMBER)
        if f"{model._meta.label}.{name}" not in {*found, *BY_HAND_NEVER}
    ]


def ended(service: Service) -> None:
    """Everything is posted and delivered, with receipts and a click."""
    provider = Provider()
    provider.dispatch()
    for message in Message.objects.filter(send__service=service, state=MessageState.QUEUED):
        from tests.support.callbacks import comes_in

        where = {"destination": message.msisdn[1:]}
        comes_in(message, info=where, callbackData=f"of {NATIONAL}")
        clicked = {"code": "7504", "deliveryStatus": "Clicked"}
        comes_in(
            message, info=where | clicked | {"Description": f"https://x.test/{NUMBER}|203.0.113.9|{NUMBER}"}
        )
    receipts.fold()
    Message.objects.filter(send__service=service, state__in=("pending", "submitted", "queued")).update(
        state=MessageState.DELIVERED
    )


__all__ = ["NUMBER", "OTHER", "InboundMessage", "Label", "everywhere", "left_out", "storage"]
