"""The plan's segments are the sandbox's `messageCount`: two counts that share no code, on ten thousand random rows."""

import random

import pytest

from sms.audiences.files import Audience, Recipient
from sms.compose import checks
from sms.compose.lines import Composer
from sms.compose.resolved_order import resolve
from sms.webex.sandbox import message_text
from tests.support.sends import a_service, an_order

pytestmark = pytest.mark.django_db
ROWS = 10_000
PIECES = (
    "Ada",
    "€",
    "[]",
    "{~}",
    "ж",
    "😀",
    "é",
    "\n",
    "\\",
    "x" * 20,
    "ÄÖÜ",
    "’",
    "Łukasz",
    " and ",
    "\u0394",
)


def test_segments_of_ten_thousand_random_rows_are_the_sandboxs():
    chance = random.Random(20261126)
    people = [
        Recipient(
            row=at,
            msisdn=f"+44771{at:07d}",
            substitutions={"name": "".join(chance.choices(PIECES, k=chance.randint(1, 150))).strip() or "x"},
        )
        for at in range(ROWS)
    ]
    audience = Audience(headings=["number", "name"], column="number", recipients=people, rejects=[])
    order = an_order(a_service(), audience=audience, content="Hi $(name), your order is on its way.")
    lines, rejects = Composer(resolve(order)).lines(people)
    counted = [message_text.segments(line.text, unicode=False) for line in lines]
    assert [line.segments for line in lines] == counted and not rejects
    figures = checks.survey(order)
    assert (figures.total, figures.worst) == (sum(counted), max(counted))
    assert figures.typical == sorted(counted)[ROWS // 2]
    assert len(figures.segments) > 5, "rows of many lengths"
