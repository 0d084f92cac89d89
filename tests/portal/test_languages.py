"""Pages and mails are in the language that a person chose, else in that of their browser; machines are answered in English."""

import re

import pytest
from django.test import Client

from portal.models import User
from sms.models import AuditEvent
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db
DETAILS = "/accounts/details/"


def heading(answer) -> str:
    return answer.content.decode().partition("<h1>")[2].partition("</h1>")[0]


def language_of(answer) -> str:
    return answer.content.decode().partition('<html lang="')[2].partition(">")[0]


def test_a_person_chooses_a_language():
    cast = a_cast(waiting=True)
    client = cast["composer"]
    assert language_of(client.get(DETAILS)) == 'en-gb" dir="ltr"'
    client.post(
        DETAILS, {"first_name": "Ada", "last_name": "L", "own_number": "", "time_zone": "", "language": "fr"}
    )
    assert User.objects.get(email="composer@example.test").language == "fr"
    answer = client.get(DETAILS, headers={"accept-language": "es"})
    assert language_of(answer) == 'fr" dir="ltr"'
    assert heading(answer) != "Your details"
    said = AuditEvent.objects.filter(act="user.details_changed").latest("pk").details
    assert (said["before"]["language"], said["after"]["language"]) == ("", "fr")
    client.post(DETAILS, {"own_number": "", "time_zone": "", "language": ""})
    assert language_of(client.get(DETAILS)) == 'en-gb" dir="ltr"'


def test_an_unknown_language_is_refused_at_its_field():
    cast = a_cast(waiting=True)
    answer = cast["composer"].post(DETAILS, {"own_number": "", "time_zone": "", "language": "xx"})
    assert answer.status_code == 422
    assert not User.objects.exclude(language="").exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("fr-CA,fr;q=0.9,en;q=0.5", "fr"),
        ("es-MX", "es"),
        ("en-US,en;q=0.9", "en-gb"),
        ("de-DE", "en-gb"),  # begun: a person chooses it
        ("ar", "en-gb"),
        ("tlh, fr;q=0.2", "fr"),
        ("", "en-gb"),
        ("*;q=nonsense,,;", "en-gb"),
    ],
)
def test_visitors_are_answered_in_the_language_of_their_browser(asked, told):
    answer = Client().get("/accounts/login/", headers={"accept-language": asked} if asked else {})
    assert language_of(answer).startswith(f'{told}"')
    assert "Accept-Language" in answer.headers["Vary"]


def test_arabic_runs_from_right_to_left():
    cast = a_cast(waiting=True)
    User.objects.update(language="ar")
    assert language_of(cast["composer"].get(DETAILS)) == 'ar" dir="rtl"'


def test_machines_are_answered_in_english():
    for path in ("/api/v1/sends", "/v2/messages", "/v1/sms/messages", "/api/v1/nothing"):
        said = []
        for language in ("fr", "en"):
            asked = {"accept-language": language}
            said.append(Client().post(path, b"{", content_type="application/json", headers=asked))
            assert said[-1].status_code >= 400
        one, other = (re.sub(r"req_\w+", "", answer.content.decode()) for answer in said)
        assert one == other, path


def test_the_documentation_of_the_api_is_english():
    for path in ("/api/docs/", "/api/docs/callbacks/"):
        assert language_of(Client().get(path, headers={"accept-language": "fr"})).startswith('en-gb"')


def test_scripts_have_their_sentences():
    french = Client().get("/accounts/script-words/fr/")
    assert french.status_code == 200
    assert "Copied." in french.content.decode()
    assert (
        "/accounts/script-words/fr/"
        in Client().get("/accounts/login/", headers={"accept-language": "fr"}).content.decode()
    )
    assert "script-words" not in Client().get("/accounts/login/").content.decode()
    assert Client().get("/accounts/script-words/xx/").status_code == 404


def test_a_language_that_went_away_is_that_of_the_browser():
    cast = a_cast(waiting=True)
    User.objects.update(language="zz")
    assert language_of(cast["composer"].get(DETAILS, headers={"accept-language": "fr"})) == 'fr" dir="ltr"'
