"""The catalogues of portal/locale: they hold what the source says, French and Spanish wholly, and say what they are asked to fill in."""

import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

from portal.languages import BEGUN, LANGUAGES

pytestmark = pytest.mark.sqlite  # no database is asked
ROOT = Path(__file__).resolve().parents[1]
CATALOGUES = ROOT / "portal" / "locale"
OTHERS = [code for code, _ in LANGUAGES[1:]]
WHOLE = [code for code in OTHERS if code not in BEGUN]
FILLED = re.compile(r"%\(\w+\)[sd]|%%|\$\(\w*\)|</?[a-z][^>]*>")
# what every page shows, and the first pages of everybody
FIRST = (
    "templates/base",
    "templates/components/",
    "templates/account/",
    "templates/home/",
    "portal/navigation.py",
)


def catalogue(language: str, domain: str) -> polib.POFile:
    return polib.pofile(str(CATALOGUES / language / "LC_MESSAGES" / f"{domain}.po"))


def asked(one: polib.POEntry) -> tuple[str, str, str]:
    return one.msgctxt or "", one.msgid, one.msgid_plural


def forms(one: polib.POEntry) -> list[tuple[str, str]]:
    """Each translation beside what it translates."""
    if not one.msgid_plural:
        return [(one.msgid, one.msgstr)]
    return [(one.msgid_plural, said) for said in one.msgstr_plural.values()]


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_catalogues_hold_what_the_source_says(domain, source_now):
    there = {asked(one) for one in polib.pofile(str(source_now / f"{domain}.po"))}
    assert len(there) > (30 if domain == "djangojs" else 3000)
    for language in OTHERS:
        here = {asked(one) for one in catalogue(language, domain)}
        assert (there - here, here - there) == (set(), set()), language


@pytest.fixture(scope="module")
def source_now(tmp_path_factory):
    """What makemessages finds today, in a copy."""
    if shutil.which("xgettext") is None:
        pytest.skip("the package gettext is not installed")
    copy = tmp_path_factory.mktemp("source")
    for name in ("portal", "sms", "static", "templates"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "locale"))
    shutil.copy(ROOT / "manage.py", copy)
    (copy / "portal" / "locale").mkdir()
    command = [sys.executable, "manage.py", "makemessages", "--locale", "fr"]
    variables = os.environ | {"VAR_DIR": str(copy / "var")}
    subprocess.run(command, cwd=copy, env=variables, check=True, capture_output=True, timeout=300)
    return copy / "portal" / "locale" / "fr" / "LC_MESSAGES"


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", WHOLE)
def test_a_language_that_is_offered_is_whole(language, domain):
    found = catalogue(language, domain)
    assert [one.msgid for one in found if not one.translated()] == []
    assert [one.msgid for one in found if not all(said.strip() for _, said in forms(one))] == []


@pytest.mark.parametrize("language", BEGUN)
def test_a_language_that_is_begun_has_the_first_pages(language):
    first = [
        one for one in catalogue(language, "django") if any(at.startswith(FIRST) for at, _ in one.occurrences)
    ]
    assert len(first) > 200
    assert [one.msgid for one in first if not one.translated()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_what_is_filled_in_and_marked_up(language):
    wrong = []
    for domain in ("django", "djangojs"):
        for one in catalogue(language, domain).translated_entries():
            for source, said in forms(one):
                wants, has = sorted(FILLED.findall(source)), sorted(FILLED.findall(said))
                # one thing may be said without its number
                if has != wants and not (one.msgid_plural and set(has) <= set(wants)):
                    wrong.append((source, said))
    assert wrong == []


@pytest.mark.parametrize("domain", ["django", "djangojs"])
@pytest.mark.parametrize("language", OTHERS)
def test_catalogues_are_compiled(language, domain):
    path = CATALOGUES / language / "LC_MESSAGES" / f"{domain}.mo"
    with path.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    stale = []
    for one in catalogue(language, domain).translated_entries():
        name = f"{one.msgctxt}\x04{one.msgid}" if one.msgctxt else one.msgid
        held = compiled._catalog
        told = (
            [held.get((name, form)) for form in one.msgstr_plural] if one.msgid_plural else [held.get(name)]
        )
        if told != [said for _, said in forms(one)]:
            stale.append(one.msgid)
    assert stale == []
