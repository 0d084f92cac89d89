"""What one person may have of costly pages at once and within a minute; the next one is a page that says when to press again."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from portal import costly_pages
from portal.costly_pages import OF_ALL_PEOPLE, CostlyPages, kinds
from portal.models import Role
from tests.support.people import a_cast, a_person
from tests.support.routes import patterns

pytestmark = [pytest.mark.django_db, pytest.mark.once]  # counted in the cache


@pytest.fixture
def cast():
    return a_cast()


def export(client, cast):
    return client.post(f"/s/{cast.service.slug}/opt-outs/export/")


def finish(*downloads) -> None:
    """Read to their end, which is when Django's client closes them."""
    for one in downloads:
        list(one.streaming_content)


def test_each_page_of_the_table_exists():
    names = {name for _, name, _ in patterns()}
    assert not {page for kind in kinds().values() for page in kind.pages} - names


def test_a_third_download_waits_until_one_is_over(cast):
    """A download runs until it is made; Django's client makes it when it is read."""
    running = [export(cast["admin"], cast) for _ in range(2)]
    refused = export(cast["admin"], cast)
    assert refused.status_code == 429 and refused.headers["Retry-After"] == "5"
    assert "You have 2 downloads running" in refused.content.decode()
    assert "Press again in 5 seconds" in refused.content.decode()
    finish(running[0])
    running[0] = export(cast["admin"], cast)
    assert running[0].status_code == 200
    finish(*running)


def test_one_person_takes_nothing_from_another(cast):
    held = [export(cast["admin"], cast) for _ in range(2)]
    assert cast["auditor"].get("/").status_code in (200, 302)
    other = a_person("other@example.test", cast.service, Role.ADMIN)
    cast.clients["other"] = type(cast["admin"])()
    cast["other"].force_login(other)
    answer = export(cast["other"], cast)
    assert answer.status_code == 200
    finish(*held, answer)


def test_all_people_together_leave_threads_for_the_other_pages(cast):
    held = []
    for number in range(OF_ALL_PEOPLE // 2):
        client = cast.clients[f"p{number}"] = type(cast["admin"])()
        client.force_login(a_person(f"p{number}@example.test", cast.service, Role.ADMIN))
        held += [export(client, cast), export(client, cast)]
    assert [one.status_code for one in held] == [200] * OF_ALL_PEOPLE
    refused = export(cast["admin"], cast)
    assert refused.status_code == 429 and "several people" in refused.content.decode()
    assert (
        cast["composer"].post(f"/s/{cast.service.slug}/compose/preview/", {"text": "Hi"}).status_code == 200
    )
    assert cast["admin"].get(f"/s/{cast.service.slug}/").status_code == 200
    finish(*held)


def test_one_person_has_only_so_many_of_all_kinds(cast, monkeypatch):
    monkeypatch.setattr(costly_pages, "OF_ONE_PERSON", 1)
    held = export(cast["admin"], cast)
    refused = cast["admin"].post(f"/s/{cast.service.slug}/audit/verify/")
    assert refused.status_code == 429 and "You have 1 of these running" in refused.content.decode()
    finish(held)


@pytest.fixture
def one_moment(monkeypatch):
    """All that is asked is asked within a minute, however busy the machine is."""
    monkeypatch.setattr(CostlyPages, "clock", staticmethod(lambda: 1000.0))


def test_more_checks_than_a_minute_allows_are_refused_with_the_time_to_wait(cast, one_moment):
    address = f"/s/{cast.service.slug}/audit/verify/"
    most = kinds()["checks"].per_minute
    assert 429 not in {cast["admin"].post(address).status_code for _ in range(most)}
    refused = cast["admin"].post(address)
    assert refused.status_code == 429 and 0 < int(refused.headers["Retry-After"]) <= 60
    assert f"You began {most} checks within a minute" in refused.content.decode()


def test_a_script_of_a_page_is_told_in_its_own_form(cast, one_moment):
    """The compose page shows `says` where it says whether the draft is saved, and saves again by itself."""
    address, most = f"/s/{cast.service.slug}/compose/save/", kinds()["files"].per_minute
    answers = []
    for _ in range(most + 1):
        file = SimpleUploadedFile("a.csv", b"number\n" + b"+447712345678\n" * 6000)
        sent = {"file": file, "revision": 0}
        accept = {"accept": "application/json, text/html;q=0.9"}
        answers.append(cast["composer"].post(address, sent, headers=accept))
    assert 429 not in {one.status_code for one in answers[:-1]} and answers[-1].status_code == 429
    assert json.loads(answers[-1].content)["says"].startswith(f"You began {most} uploads")


def test_a_visitor_is_counted_nowhere(cast):
    for _ in range(40):
        assert cast["visitor"].post(f"/s/{cast.service.slug}/opt-outs/export/").status_code == 302
