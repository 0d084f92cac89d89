"""The sandbox answers every body as the rule of the second reading says, and the page is what the rules say."""

import pytest

from sms.webex.sandbox.settings import Settings
from tests.contract.reading.answering import answer
from tests.contract.reading.bodies import NOW, corpus
from tests.contract.reading.cases import CASES
from tests.contract.reading.table import ASKED, DIFFERENT, PAGE, RULES, page


def test_every_case_is_of_a_rule_and_every_rule_is_whole():
    names = [one.name for one in RULES]
    assert len(set(names)) == len(names) and set(names) >= ASKED
    assert all(one.says and one.source and one.evidence and one.answer for one in RULES)
    assert {one.changed for one in DIFFERENT} == {"sandbox", "both", "nothing"}


def test_the_page_is_what_the_rules_say():
    assert PAGE.read_text("utf-8") == page(), "write it with python -m tests.contract"


@pytest.mark.parametrize("seed", [1, 2])
def test_sandbox_answers_as_the_rules_say(seed):
    wrong = [
        (asked.rules, said, sorted(asked.answers), asked.raw[:300])
        for asked in corpus(4 * len(CASES), seed, CASES)
        if (said := answer(asked.raw, NOW.timestamp(), Settings())) not in asked.answers
    ]
    assert not wrong, wrong[:5]
