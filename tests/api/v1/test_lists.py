"""Lists and single things: paging, filters, sparse fields, masked numbers, and as many queries for 3 000 rows as for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.api import authentication
from sms.inbound import optouts
from sms.models import ApiKey, ApiKeyUse, Callback, CallbackEndpoint, Notify, OptOut, Service
from sms.models.api_key import digest_of
from sms.reports import facts
from tests.support.partners import a_partner, one_of_everything
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"
TRY = {
    "at": "2026-03-02T09:15:00.000+00:00",
    "status": 500,
    "ms": 7,
    "error": "It answered 500.",
    "reply": "",
}


def opted_out(service, count: int, *, start: int = 0) -> None:
    OptOut.objects.bulk_create(
        OptOut(service=service, msisdn=f"+44771{start + at:07d}", source="api") for at in range(count)
    )


def test_every_list_and_every_single_thing_of_ones_own_service_only():
    service, partner = a_partner()
    ids = one_of_everything(service)
    _, stranger = a_partner(slug="other", name="Other")
    for name, pk in ids.items():
        page = partner.get(name)
        assert pk in [one["id"] for one in page.json()["items"]], page.content
        one = partner.get(f"{name}/{pk}")
        assert one.status_code == 200 and one["ETag"], one.content
        assert partner.get(f"{name}/{pk}", If_None_Match=one["ETag"]).status_code == 304
        assert stranger.get(f"{name}/{pk}").status_code == 404
        assert pk not in [one["id"] for one in stranger.get(name).json()["items"]]
        assert partner.get(f"{name}/{2**70}").status_code == 404
        assert list(partner.get(f"{name}/{pk}?fields=id").json()) == ["id"]
    for path in (f"sends/{ids['sends']}/messages", f"sends/{ids['sends']}/rejects", "reports/sends"):
        assert partner.get(path).status_code == 200
        assert not path.startswith("sends/") or stranger.get(path).status_code == 404
    facts.fold()
    assert partner.get("reports/days").json()["items"][0]["counts"] == {"pending": 2}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 12), limit=st.integers(1, 5), between=st.lists(st.integers(0, 3), max_size=8))
def test_whatever_is_added_while_paging_nothing_comes_twice_and_nothing_is_missing(first, limit, between):
    OptOut.objects.all().delete()
    service = Service.objects.filter(slug="shop").first()
    service, partner = a_partner(service=service)
    ApiKey.objects.exclude(digest=digest_of(partner.token)).delete()
    between = list(between)
    opted_out(service, first)
    wanted = set(OptOut.objects.filter(service=service).values_list("pk", flat=True))
    seen, cursor, at = [], None, first
    while True:
        page = partner.get(f"opt-outs?limit={limit}" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        more = between.pop() if between else 0
        opted_out(service, more, start=at)
        at += more
    assert len(seen) == len(set(seen))
    assert wanted == set(seen)
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("path", ["sends", "messages", "opt-outs", "reports/sends", "reports/days"])
def test_a_list_takes_as_many_queries_for_3_000_rows_as_for_one(path):
    service, partner = a_partner()
    took = []
    done = 0
    for count in (1, 30, 3000):
        if path in ("sends", "reports/sends", "reports/days"):
            for _ in range(min(count, 200) - done):
                a_send(service)
            done = min(count, 200)  # a page is full
        elif path == "messages":
            a_send(service, count)
        else:
            opted_out(service, count, start=count * 10)
        authentication._known.clear()  # a service is known for a moment, however long the rows above took
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert partner.get(path).status_code == 200
        # a key's share of its rate is fetched now and then, whatever is asked
        took.append(
            sum(
                ApiKeyUse._meta.db_table not in one["sql"] and "SAVEPOINT" not in one["sql"]
                for one in queries
            )
        )
    assert took[1] == took[2] and took[2] <= 12, took


def test_filters_narrow_and_a_wrong_or_unknown_one_is_named():
    service, partner = a_partner()
    ids = one_of_everything(service)
    assert len(partner.get("messages?state=pending").json()["items"]) == 2
    assert partner.get("messages?state=delivered").json()["items"] == []
    assert len(partner.get(f"messages?send={ids['sends']}").json()["items"]) == 2
    assert len(partner.get("opt-outs?in_force=true&source=page").json()["items"]) == 1
    assert partner.get("sends?send_at_until=2020-01-01T00:00:00Z").json()["items"] == []
    for path, flag, here in (
        ("sends", "test", "false"),
        ("senders", "active", "true"),
        ("opt-outs", "in_force", "true"),
        ("audiences", "archived", "false"),
    ):
        counts = {one: len(partner.get(f"{path}?{flag}={one}").json()["items"]) for one in ("true", "false")}
        assert counts[here] >= 1 and sum(counts.values()) == counts[here], path
    for query, field in (
        ("messages?state=lost", "state"),
        ("messages?colour=red", "colour"),
        ("messages?send=x", "send"),
        (f"messages?send={2**70}", "send"),
        ("sends?send_at_from=2026-01-01T00:00:00", "send_at_from"),
        ("sends?limit=0", "limit"),
        ("sends?limit=201", "limit"),
        ("sends?cursor=AAAA", "cursor"),
        ("sends?fields=secret", "fields"),
        ("reports/days?from=2020-01-01T00:00:00Z", "from"),
        ("reports/days?until=now", "until"),
    ):
        answer = partner.get(query)
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["field"] == field, answer.content


@pytest.mark.parametrize(("scopes", "status"), [(["send", "all"], 403), (["send", "numbers", "all"], 201)])
def test_receipts_of_a_saved_audience_are_passed_on_only_where_the_scope_allows_its_numbers(scopes, status):
    service, partner = a_partner(*scopes)
    audience = one_of_everything(service)["audiences"]
    asked = {"text": "Hi", "audience": audience, "notify_url": "https://partner.example/in"}
    refused = partner.post("sends/plan", asked)
    assert refused.status_code == (200 if status == 201 else 403)
    made = partner.post("sends", asked, Idempotency_Key="k1")
    assert (made.status_code, Notify.objects.exists()) == (status, status == 201)


def test_numbers_are_masked_unless_the_scope_allows_them_and_are_found_by_body():
    service, partner = a_partner("read", "texts", "optouts", "all")
    _, trusted = a_partner("read", "texts", "optouts", "numbers", "all", service=service)
    a_send(service)
    optouts.opt_out(service.pk, [optouts.Refusal(NUMBER)], by=BY, source="page")
    for path in ("messages/search", "opt-outs/search"):
        hidden = partner.post(path, {"number": "07710 000000"})
        assert hidden.status_code == 200 and NUMBER not in hidden.content.decode()
        assert trusted.post(path, {"number": NUMBER}).json()["items"][0]["number"] == NUMBER
        assert partner.post(path, {"number": "x"}).json()["errors"][0]["field"] == "number"


def test_opt_outs_are_added_and_lifted_all_or_none():
    _, partner = a_partner()
    bad = partner.post("opt-outs", {"numbers": [NUMBER, "12"], "evidence": "call"})
    assert bad.status_code == 400 and bad.json()["errors"][0]["row"] == 2
    assert not OptOut.objects.exists()
    added = partner.post("opt-outs", {"numbers": [NUMBER, NUMBER], "evidence": "call"})
    assert (added.status_code, added.json()) == (201, {"added": 1, "already": 0})
    assert partner.post("opt-outs/lift", {"numbers": [NUMBER], "reason": "asked"}).json() == {"lifted": 1}
    assert OptOut.objects.get().lifted_because == "asked"


def test_a_message_has_a_timeline():
    service, partner = a_partner()
    ids = one_of_everything(service)
    story = partner.get(f"messages/{ids['messages']}").json()
    assert story["text"] == "Hello" and [one["event"] for one in story["timeline"]] == ["composed"]


def test_endpoints_are_added_changed_and_replayed_and_their_secret_is_shown_once():
    service, partner = a_partner()
    ids = one_of_everything(service)
    new = {"name": "New", "url": "https://partner.example/two"}
    made = partner.post("callback-endpoints", new)
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    path = f"callback-endpoints/{made.json()['id']}"
    assert "secret" not in partner.get(path).json()
    assert (
        partner.post("callback-endpoints", new | {"url": "http://127.0.0.1/"}).json()["errors"][0]["field"]
        == "url"
    )
    tag = partner.get(path)["ETag"]
    changed = partner.call("PATCH", path, {"name": "Newer"}, If_Match=tag)
    assert changed.json()["name"] == "Newer"
    assert partner.call("PATCH", path, {"name": "Old"}, If_Match=tag).status_code == 412
    assert partner.post(f"{path}/rotate-secret").json()["secret"].startswith("whsec_")
    assert partner.post(f"{path}/pause").json()["paused_at"]
    assert partner.post(f"{path}/resume").json()["paused_at"] is None
    Callback.objects.update(body='{"data": {"to": "+44 •••"}}', log=[TRY])
    story = partner.get(f"callbacks/{ids['callbacks']}").json()
    assert story["body"] == '{"data": {"to": "+44 •••"}}' and story["log"][0]["milliseconds"] == 7
    since = {"since": "2020-01-01T00:00:00Z"}
    assert partner.post(f"callback-endpoints/{ids['callback-endpoints']}/replay", since).json() == {
        "replayed": 1
    }
    assert partner.post(f"callbacks/{ids['callbacks']}/replay").json() == {"replayed": 1}
    assert partner.call("DELETE", path).status_code == 204
    _, blind = a_partner("callbacks", "all", service=service)
    Callback.objects.update(body='{"data": {"number": "+447710000000"}}')
    CallbackEndpoint.objects.update(full_numbers=True)
    assert blind.get(f"callbacks/{ids['callbacks']}").json()["body"] is None
    assert NUMBER in partner.get(f"callbacks/{ids['callbacks']}").json()["body"]
    assert blind.post("callback-endpoints", new | {"full_numbers": True}).status_code == 403


def test_every_post_is_done_once_for_its_idempotency_key():
    service, partner = a_partner()
    ids = one_of_everything(service)
    send, endpoint, audience = (ids[name] for name in ("sends", "callback-endpoints", "audiences"))
    shop = {"name": "New", "url": "https://partner.example/three"}
    for at, (path, body, other) in enumerate(
        (
            ("sends", {"text": "Hi", "recipients": [NUMBER]}, {"name": "x"}),
            (f"sends/{send}/pause", {"reason": "x"}, {"reason": "y"}),
            (f"sends/{send}/resume", {}, None),
            (f"sends/{send}/stop", {}, None),
            ("opt-outs", {"numbers": [NUMBER], "evidence": "call"}, {"evidence": "mail"}),
            ("opt-outs/lift", {"numbers": [NUMBER], "reason": "asked"}, {"reason": "x"}),
            ("audiences", {"name": "New", "csv": NUMBER}, {"name": "Newer"}),
            (f"audiences/{audience}/versions", {"csv": NUMBER}, {"csv": "07710 000009"}),
            (f"audiences/{audience}/archive", {}, None),
            (f"audiences/{audience}/bring-back", {}, None),
            ("callback-endpoints", shop, {"name": "Newer"}),
            (f"callback-endpoints/{endpoint}/rotate-secret", {}, None),
            (f"callback-endpoints/{endpoint}/pause", {}, None),
            (f"callback-endpoints/{endpoint}/resume", {}, None),
            (
                f"callback-endpoints/{endpoint}/replay",
                {"since": "2020-01-01T00:00:00Z"},
                {"failed_only": False},
            ),
            (f"callbacks/{ids['callbacks']}/replay", {}, None),
        )
    ):
        first, again = (partner.post(path, body, Idempotency_Key=f"k{at}") for _ in range(2))
        assert first.status_code < 300, (path, first.content)
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again["Idempotent-Replayed"] == "true", path
        # another body, or the same one to another address
        answer = partner.post(
            path, body | other if other else {}, Idempotency_Key=f"k{at}" if other else "k0"
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused"), path
