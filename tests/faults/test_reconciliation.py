"""The checker sees every kind of wrong, each planted in a small pair of records that otherwise agree."""

import pytest

from tests.faults.reconciliation import Row, compare, of_text, stem


def posted(key: int, attempt: int = 1, text: str = "a") -> dict:
    return {"kind": "message", "correlationId": f"{key}-{attempt}-x", "messageId": f"m{key}", "text": text}


def told(key: int, status: str = "Delivered", answer: int | str = 200) -> dict:
    return {
        "kind": "receipt",
        "correlationId": f"{key}-1-x",
        "messageId": f"m{key}",
        "status": status,
        "answer": answer,
    }


def row(key: int, state: str = "delivered", attempt: int = 1) -> Row:
    return Row(key, f"+44{key}", state, attempt)


def test_records_that_agree():
    rows = [row(1), row(2, "queued"), row(3, "unconfirmed"), row(4, "cancelled", 0), row(5, "failed")]
    log = [posted(1), told(1, "Submitted"), told(1), posted(2), posted(5), told(5, "Un-Delivered")]
    page = {"delivered": 1, "queued": 1, "unconfirmed": 1, "cancelled": 1, "failed": 1}
    verdict = compare(rows, log, page=page, recipients=5)
    assert verdict.good, verdict.sentence
    assert (verdict.arrived, list(verdict.parked)) == (3, [3])
    assert verdict.sentence.startswith("5 messages, 3 arrived: nothing lost, nothing twice; 1 parked.")


@pytest.mark.parametrize(
    ("found", "rows", "log"),
    [
        ("lost", [row(1, "pending", 0)], []),
        ("lost", [row(1, "posting")], [posted(1)]),
        ("lost", [row(1, "queued")], []),
        ("duplicates", [row(1)], [posted(1), posted(1), told(1)]),
        ("duplicates", [row(1, attempt=2)], [posted(1), posted(1, 2), told(1)]),
        ("unarmed", [row(1, "unconfirmed", 0)], [posted(1)]),
        ("unheard", [row(1, "unconfirmed")], [posted(1), told(1)]),
        ("disagree", [row(1, "queued")], [posted(1), told(1)]),
        ("disagree", [row(1, "delivered")], [posted(1), told(1, answer=503)]),
        ("disagree", [row(1, "cancelled")], [posted(1)]),
        ("disagree", [row(1)], [posted(1), told(1), posted(7)]),
    ],
)
def test_each_wrong_is_named(found, rows, log):
    page = {rows[0].state: 1}
    verdict = compare(rows, log, page=page, recipients=1)
    assert list(verdict.wrong) == [found], verdict.sentence
    assert found in verdict.sentence


def test_a_page_that_miscounts_is_wrong():
    agreed = [posted(1), told(1)]
    assert compare([row(1)], agreed, page={"delivered": 1}, recipients=1).good
    assert list(compare([row(1)], agreed, page={"queued": 1}, recipients=1).wrong) == ["page"]
    assert list(compare([row(1)], agreed, page={"delivered": 1}, recipients=2).wrong) == ["page"]


def test_parking_is_wrong_where_nothing_was_armed():
    rows, page = [row(1, "unconfirmed")], {"unconfirmed": 1}
    assert compare(rows, [], page=page, recipients=1).good
    assert list(compare(rows, [], page=page, recipients=1, parking_allowed=False).wrong) == ["parked"]


def test_a_send_is_distinguished_by_its_text_and_ids_are_read():
    log = [posted(1), told(1), posted(2, text="b"), told(2)]
    assert of_text(log, "b") == [log[2], log[3]]
    assert (stem("z-3-abc"), stem("nonsense"), stem("")) == ((35, 3), (0, 0), (0, 0))
