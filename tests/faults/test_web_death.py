"""The web process dies while receipts come in: what it had not answered comes again, so none is lost."""

from tests.faults import reconciliation
from tests.support.processes import until

MESSAGES = 150


def receipts(field, text):
    return [
        line
        for line in reconciliation.of_text(reconciliation.ledger(field.sandbox_port), text)
        if line["kind"] == "receipt"
    ]


def test_a_receipt_that_a_dying_web_process_did_not_answer_is_not_lost(field):
    text = "web dies"
    send = field.send(text, MESSAGES)
    dispatcher = field.dispatcher()
    try:
        until(lambda: len(receipts(field, text)) >= 20, "receipts come in")
        field.kill_web()
        until(lambda: any(line["answer"] != 200 for line in receipts(field, text)), "one is not answered")
        field.start_web()
        until(lambda: field.is_settled(send, text), "every receipt is answered and folded")
        dispatcher.terminate()
        assert dispatcher.wait(timeout=120) == 0, field.log
    finally:
        dispatcher.kill()
        dispatcher.wait()
    verdict = field.verdict(send, text, parking_allowed=False)
    assert verdict.good, verdict.sentence
    assert verdict.states == {"delivered": MESSAGES}
