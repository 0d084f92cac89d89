"""What is stored in English is found again when a page says it in the reader's language, whichever of hundreds of sentences it is."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from django.utils.translation import trans_real

import portal
import sms
from sms.words import KeptSentence, in_language, retold
from tests.support.strange_letters import CODE, StrangeLetters, of_catalogue, strange

CATALOGUE = Path(__file__).resolve().parents[1] / "portal/locale/fr/LC_MESSAGES/django.po"
NOT_WALKED = re.compile(r"\.(migrations|management|sandbox|settings|asgi|wsgi)(\.|$)|__main__")
NAME = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def sentences():
    for room in (sms, portal):
        for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not NOT_WALKED.search(module.name):
                importlib.import_module(module.name)
    found = list(KeptSentence.known)
    assert len(found) > 300
    return found


def says_something(sentence: KeptSentence) -> bool:
    return bool(re.search(r"[A-Za-z]", NAME.sub("", sentence.text)))


def test_each_is_in_the_catalogues(sentences):
    known = of_catalogue(CATALOGUE)
    assert [one.text for one in sentences if says_something(one) and one.text not in known] == []


def test_each_is_found_by_itself(sentences, monkeypatch):
    monkeypatch.setitem(trans_real._translations, CODE, StrangeLetters(of_catalogue(CATALOGUE)))
    wrong = []
    for one in sentences:
        facts = {name: f"9{place}" for place, name in enumerate(NAME.findall(one.text))}
        with in_language(CODE):
            said = retold(one(**facts))
        if says_something(one) and said != strange(one.text) % facts:
            wrong.append((one.text, said))
    assert wrong == []
