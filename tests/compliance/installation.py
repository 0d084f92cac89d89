"""An installation that knows one number in every kind of place that an erasure and a disclosure look into."""

import io
import zlib
from datetime import timedelta

import xlsxwriter
from django.utils import timezone

from sms.audiences import packing, saved
from sms.audiences.files import Limits
from sms.inbound import optouts
from sms.inbound.optouts import Refusal
from sms.inbound.receipts import Incoming, spool
from sms.models import (
    Callback,
    CallbackEndpoint,
    Conversation,
    Draft,
    IdempotentAnswer,
    InboundMessage,
    Message,
    Receipt,
    ReceiptInbox,
    RefusedPost,
    Reject,
    ReportFile,
    ReportPart,
    Send,
    Service,
    Upload,
)
from sms.reports import facts
from tests.support.past_sends import a_past_send, an_old_service, run
from tests.support.sends import BY

NUMBER, OTHER = "+447710000000", "+447710000001"
SPELLINGS = ("+44 7710 000000", "07710 000 000", "0044 (0)7710-000-000", "447710000000", "7710000000")


def a_workbook() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write_column(0, 0, ["number", "07710 000000"])
    return out.getvalue()


def an_installation_that_knows(folder) -> tuple[Service, Send]:
    """The number in every place that there is, beside somebody else's."""
    service = an_old_service(keep_messages=30)
    a_past_send(service, 3, days=50, content="Hi $(number), call us")
    run(service)
    Service.objects.filter(pk=service.pk).update(keep_messages=None)
    send = a_past_send(
        service, 3, days=20, content="Is $(number) yours?", name="For 07710 000000", source="447710000000.csv"
    )
    other = Message.objects.get(send=send, msisdn=OTHER)
    Message.objects.filter(pk=other.pk).update(
        text="Your driver is +44 7710 000000", substitutions={"driver": "07710000000"}
    )
    for index, spelled in enumerate(SPELLINGS):
        Reject.objects.create(send=send, row=90 + index, value=spelled, code="duplicate", reason="Twice.")
    now, pasted = timezone.now(), "\n".join([*SPELLINGS[:2], OTHER])
    csv = Upload.keep(
        f"name;mobile\r\nAda;07710 000000\r\nBob;{OTHER}\r\n".encode(),
        service=service,
        name="a.csv",
        user=None,
    )
    book = Upload.keep(a_workbook(), service=service, name="b.xlsx", user=None)
    Draft.objects.create(service=service, upload=csv, pasted=pasted, text="Ask 07710 000000")
    Draft.objects.create(service=service, upload=book, name="b")
    packed = packing.pack_pasted(pasted, country="GB", limits=Limits())
    audience = saved.create(service, packed, name="List", by=BY)
    rows = io.BytesIO(
        f"number,friend\n{OTHER},07710 000000\n+447710000002,\n+447710000000,x\n+447710000000,y\n".encode()
    )
    saved.replace(
        audience,
        packing.pack_file(rows, name="c.csv", country="GB", column=None, limits=Limits()),
        by=BY,
    )
    optouts.opt_out(service.pk, [Refusal(NUMBER, "said so on 07710 000000", send.pk)], by=BY, source="page")
    conversation = Conversation.objects.create(service=service, msisdn=NUMBER, address="72345", last_at=now)
    InboundMessage.objects.create(
        service=service,
        conversation=conversation,
        dedupe=b"1" * 16,
        raw=b'{"oa":"447710000000"}',
        msisdn=NUMBER,
        address="72345",
        text="Stop",
        received_at=now,
    )
    for digit, why in ((b"2", "unknown"), (b"3", "unreadable")):
        lost = Receipt.objects.create(
            service=service, raw=b'{"destination":"447710000000"', dedupe=digit * 16, received_at=now
        )
        ReceiptInbox.objects.create(
            receipt=lost,
            received_at=lost.received_at,
            why=why,
            reason="of +447710000000",
            next_at=now + timedelta(days=1),
        )
    for digit, of in ((b"4", service), (b"5", None)):
        raw = b'{"destination":"447710000000"}'
        RefusedPost.objects.create(
            service=of,
            kind="receipt",
            came_to="webhook" if of else "unknown",
            dedupe=digit * 16,
            raw=raw,
            size=len(raw),
            received_at=now,
        )
    endpoint = CallbackEndpoint.objects.create(service=service, name="P", url="https://p.test/")
    for state in ("delivered", "waiting"):
        done = {"next_at": now} if state == "waiting" else {"done_at": now}
        Callback.objects.create(
            endpoint=endpoint,
            event_id=state,
            kind="k",
            body='{"to": "+447710000000"}',
            state=state,
            created_at=now,
            since=now,
            log=[{"reply": "447710000000?"}],
            **done,
        )
    IdempotentAnswer.objects.create(
        service=service, owner="shop", key="k", fingerprint="f", body=b'{"to":"447710000000"}', made_at=now
    )
    report = ReportFile.objects.create(service=service, kind="csv", query={"by": "send"})
    ReportPart.objects.create(file=report, number=0, content=zlib.compress(b"For 07710000000\n"))
    spool.folder.mkdir()
    kept = Incoming(service.pk, b'{"destination":"447710000000"}', now)
    (spool.folder / "1.kept").write_bytes(spool.format.packed([kept]))
    (folder / "desk.log").write_text("to +44 7710 ••• 000\n")
    facts.fold()
    service.refresh_from_db()
    return service, send
