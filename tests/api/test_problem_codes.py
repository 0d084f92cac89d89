"""Every code of `ProblemCode`, provoked at the doors: the same code on a page and at `/api/v1/`, the provider's code at `/v2/messages`."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from sms.audiences import files, packing, saved
from sms.audiences.files import Limits
from sms.catalogue import templates
from sms.catalogue.placeholder_rules import Placeholder
from sms.compose import drafts
from sms.compose.background import work
from sms.inbound import optouts
from sms.models import AudienceVersion, Draft, OptOut, Preparation, Service, ShortLinkDomain
from sms.values.problems import ProblemCode, rows_text
from tests.environment import ROOT
from tests.support.drop_in import FAR, body, post
from tests.support.large_audiences import refused
from tests.support.partners import Partner, a_key, a_partner, a_partner_service
from tests.support.people import signed_in
from tests.support.problem_files import BY_CODE
from tests.support.sends import BY, a_send

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TO = ["+447700900101"]
REFUSER = "+447700900009"
LONG = "x" * 2_001

# one good row, and one that is rejected for this reason; what the text and other fields have to be for that
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "empty": (",Bob", {}),
    "not_a_number": ("abc,Bob", {}),
    "too_short": ("12,Bob", {}),
    "too_long": ("+44770090012345678,Bob", {}),
    "impossible": ("+999 123 4567,Bob", {}),
    "no_country": ("07700 900123,Bob", {"country": ""}),
    "premium": ("0906 123 4567,Bob", {}),
    "shortened": ("4.477E+11,Bob", {}),
    "two_numbers": ("07700900123 / 07700900124,Bob", {}),
    "formula": ("=A1,Bob", {}),
    "formula_error": ("#N/A,Bob", {}),
    "date": ("03/11/2026,Bob", {}),
    "duplicate": ("+447700900101,Bob", {}),
    "broken_text": ("+447700900102,Zo\udceb", {"good": "Zoë Noël"}),  # one byte of Latin-1 in UTF-8
    "broken_quotes": ('+447700900102,"Bob', {}),
    "cell_too_long": (f"+447700900102,{LONG}", {}),
    "too_many_cells": ("+447700900102,Bob,Leeds", {}),
    "bad_time_zone": ("+447700900102,EST", {"headings": "mobile,zone", "good": "Europe/London"}),
    "missing_value": ("+447700900102,", {"text": "Hi $(name)"}),
    "value_does_not_fit": ("+447700900102,Bob", {"template": "count", "good": "3"}),
    "placeholder_in_value": ("+447700900102,$(other)", {"text": "Hi $(name)"}),
    "text_too_long": (f"+447700900102,{'x' * 1_500}", {"text": "Hi $(name)"}),
    "opted_out": (f"{REFUSER},Bob", {}),
    "sender_refused": ("+12025550123,Bob", {}),
    "left_out": ("33612345678,Bob", {"field": "abroad"}),
    "country_not_allowed": ("+992917123456,Bob", {"field": "TJ"}),
}

# of a whole request to `/api/v1/sends/plan`
ASKED: dict[str, dict[str, Any]] = {
    "invalid": {"send_at": "soon"},
    "required": {"text": ...},
    "null": {"labels": [None]},
    "unknown_field": {"sendat": "2090-01-01T00:00:00Z"},
    "invalid_choice": {"lane": "fast"},
    "out_of_range": {"validity": 0},
    "too_long": {"name": "x" * 101},
    "too_many": {"labels": [f"label-{at}" for at in range(11)]},
    "only_one": {"template": "order_shipped"},
    "needs_another": {"tag1": "spring"},
    "not_usable": {"text": ..., "template": "nothing like it"},
    "not_published": {"text": ..., "template": "count", "language": "xx"},
    "domain_broken": {"link_domain": "uk.wbxc.io"},
    "time_passed": {"send_at": "2020-01-01T00:00:00Z"},
    "expires_too_early": {"send_at": "2090-01-02T00:00:00Z", "expires_at": "2090-01-01T00:00:00Z"},
    "unknown_column": {"recipients": ..., "csv": "mobile,name\n+447700900101,Ada\n", "column": "telephone"},
    "opted_out": {"recipients": [REFUSER]},  # the only row, which says itself what is wrong with it
    "no_such_row": {"row": 99},
    "missing_value": {"text": "Hi $(name)"},
    "foreign_placeholder": {
        "text": "Hi {{name}}",
        "recipients": [{"number": TO[0], "values": {"name": "Ada"}}],
    },
    "text_too_long": {"text": "x" * 1_025},
}

# of the compose page
TYPED: dict[str, dict[str, Any]] = {
    "required": {"text": ""},
    "only_one": {"text": "Hi", "template": "count"},
    "invalid": {"when": "later", "send_at": "tomorrow"},
    "time_passed": {"when": "later", "send_at": "2020-01-01T10:00"},
    "no_recipients": {"pasted": "abc\n12"},
    "missing_value": {"text": "Hi $(name)"},
    "foreign_placeholder": {"text": "Hi {name}", "pasted": "mobile,name\n+447700900101,Ada"},
    "text_too_long": {"text": "x" * 1_025},
    "not_usable": {"text": "See {{smartlink_9}}"},
    "too_many": {"labels": ", ".join(f"label-{at}" for at in range(11))},
}

# of `/v2/messages`: the provider's code
POSTED: dict[str, tuple[dict[str, Any], str]] = {
    "required": ({"from": ...}, "7003"),
    "missing_value": ({"content": {"type": "text", "text": "Hi $(name)"}}, "7003"),
    "placeholder_in_value": (
        {"content": {"type": "text", "text": "Hi $(name)"}, "substitutions": {"name": "$(other)"}},
        "7004",
    ),
    "foreign_placeholder": (
        {"content": {"type": "text", "text": "Hi ((name))"}, "substitutions": {"name": "Ada"}},
        "7004",
    ),
    "value_does_not_fit": (
        {"content": ..., "template": {"id": "count"}, "substitutions": {"name": "x"}},
        "7004",
    ),
    "text_too_long": ({"content": {"type": "text", "text": "x" * 1_025}}, "7107"),
    "too_many": ({"to": [{"msisdn": [f"44770090{at:04d}" for at in range(1_001)]}]}, "7009"),
    "not_usable": ({"from": "OTHER"}, "7101"),
    "invalid": ({"sendAt": FAR}, "7004"),
    "domain_broken": ({"options": {"domain": "https://uk.wbxc.io", "shortenLinks": True}}, "7004"),
}
# destinations that fail at once: the provider's code of the receipt
FAILED = {
    "opted_out": (REFUSER[1:], "9002"),
    "not_a_number": ("12", "7102"),
    "too_long": ("447700900123456", "7102"),
    "country_not_allowed": ("992917123456", "7282"),
}

# each has a test of its own below
ALONE = {
    *("not_connected", "erased", "taken", "in_use", "reference_used", "already_sent", "changed"),
    *("too_large", "too_many_rows", "not_ready", "interrupted"),
    *("cap_reached", "number_cap_reached"),
}


@pytest.fixture
def service() -> Service:
    """With a person who opted out, a template that takes a number, a broken domain and quiet hours."""
    service = a_partner_service(quiet_hours="21:00-08:00")
    optouts.opt_out(service.pk, [optouts.Refusal(REFUSER, "asked")], by=BY, source=OptOut.Source.PAGE)
    number = Placeholder("name", kind="number")
    templates.create(service, "count", templates.Wording("$(name) left", placeholders=[number]), by=BY)
    ShortLinkDomain.objects.update(state="broken")
    return service


@pytest.fixture
def partner(service):
    return a_partner(service=service)[1]


@pytest.fixture
def composer(service):
    return signed_in("composer@example.test", service, "composer")


def a_file(code: str) -> SimpleUploadedFile:
    """One good row and the one that is rejected with this code."""
    row, more = ROWS[code]
    content = f"{more.get('headings', 'mobile,name')}\n+447700900101,{more.get('good', 'Ada')}\n{row}\n"
    return SimpleUploadedFile("people.csv", content.encode("utf-8", "surrogateescape"))


def asked(change: dict[str, Any]) -> dict[str, Any]:
    given = {"text": "Hi", "recipients": TO} | change
    return {name: value for name, value in given.items() if value is not ...}


def planned_of_file(partner: Partner, file: SimpleUploadedFile, **given: str) -> Any:
    return partner.client.post("/api/v1/sends/plan", given | {"file": file}, headers={"key": partner.token})


def typed(service: Service, **changes: Any) -> dict[str, Any]:
    """What the compose page posts; `template` by its name."""
    fields = {"name": "", "sender": service.senders.get().pk, "text": "Hi", "country": "GB", "when": "now"}
    fields |= {"review": "1", "respect_quiet_hours": "on"} | changes
    if "template" in changes:
        fields["template"] = service.templates.get(name=changes["template"]).pk
    return fields


def codes_on(page: Any) -> set[str]:
    return set(re.findall(r'data-code="(\w+)"', page.content.decode()))


def codes_in(answer: Any) -> set[str]:
    return {one["code"] for one in answer.json()["errors"]}


def test_the_tables_cover_every_code():
    assert {*ROWS, *ASKED, *TYPED, *POSTED, *FAILED, *BY_CODE, *ALONE} == set(ProblemCode)


@pytest.mark.parametrize("code", ROWS)
def test_a_rejected_row_has_its_code_and_a_sentence_for_all_like_it(service, partner, code):
    more = ROWS[code][1]
    what = {"template": more["template"]} if "template" in more else {"text": more.get("text", "Hi")}
    given = what | {"country": "ZZ" if code == "no_country" else "GB"}
    answer = planned_of_file(partner, a_file(code), **given)
    assert answer.status_code == 200, answer.content
    (removed,) = answer.json()["rejects"]
    said = rows_text(ProblemCode(code), 1, more.get("field", "name"))
    assert (removed["code"], removed["count"], removed["detail"]) == (code, 1, f"{said}.")


@pytest.mark.parametrize("code", [code for code in ROWS if code != "no_country"])
def test_a_rejected_row_has_its_code_on_the_page_and_in_the_send(service, composer, partner, code):
    more = ROWS[code][1]
    what = {name: more[name] for name in ("text", "template") if name in more}
    what |= {"text": ""} if "template" in more else {}
    saved_page = composer.post("/s/shop/compose/", typed(service, **what, file=a_file(code)))
    assert saved_page.status_code == 302, saved_page.context["form"].errors
    page = composer.get(saved_page.url)
    assert codes_on(page) == {code}
    said = rows_text(ProblemCode(code), 1, more.get("field", "name"))
    assert f"{said}." in page.content.decode()
    sent = composer.post(saved_page.url, follow=True)
    assert codes_on(sent) == {code}
    (row,) = partner.get(f"sends/{service.sends.get().pk}/rejects").json()["items"]
    assert row["code"] == code and row["detail"]


@pytest.mark.parametrize("code", ASKED)
def test_a_request_that_cannot_be_done_has_a_code_for_each_thing_to_correct(partner, code):
    answer = partner.post("sends/plan", asked(ASKED[code]))
    assert answer.status_code in (400, 422), answer.content
    assert codes_in(answer) == {code}, answer.content


@pytest.mark.parametrize("code", TYPED)
def test_a_mistake_on_the_page_has_the_code_beside_its_sentence(service, composer, code):
    given = {"pasted": "+447700900101"} | TYPED[code]
    page = composer.post("/s/shop/compose/", typed(service, **given))
    assert page.status_code == 422
    assert code in codes_on(page)


@pytest.mark.parametrize("code", POSTED)
def test_a_refusal_of_the_drop_in_follows_from_the_code(service, code):
    change, provider = POSTED[code]
    answer = post(a_key(service), body(**change))
    assert (answer.status_code, answer.json()["code"]) == (400, provider), answer.content


@pytest.mark.parametrize("code", FAILED)
def test_what_the_provider_would_report_fails_with_its_code(service, code):
    number, provider = FAILED[code]
    assert post(a_key(service), body(number)).status_code == 201
    message = service.sends.get().messages.get()
    assert (message.state, message.code) == ("failed", provider)


@pytest.mark.parametrize("code", BY_CODE)
def test_a_file_that_cannot_be_read_has_its_code(service, partner, composer, code):
    content = BY_CODE[code]
    answer = planned_of_file(partner, SimpleUploadedFile("people.xlsx", content), text="Hi")
    assert (answer.status_code, codes_in(answer)) == (422, {code}), answer.content
    page = composer.post("/s/shop/compose/", typed(service, file=SimpleUploadedFile("people.xlsx", content)))
    assert page.status_code == 422 and code in codes_on(page)
    form = {"name": "Customers", "country": "GB", "file": SimpleUploadedFile("people.xlsx", content)}
    assert codes_on(composer.post("/s/shop/audiences/new/", form)) == {code}


def test_too_many_bytes_and_too_many_rows(partner, composer, service, settings):
    settings.UPLOAD_MAX_ROWS = 1
    assert codes_in(partner.post("sends/plan", asked({"recipients": [*TO, "+447700900102"]}))) == {
        "too_many_rows"
    }
    settings.UPLOAD_MAX_BYTES = 10
    assert codes_in(partner.post("sends/plan", asked({"recipients": ..., "csv": TO[0]}))) == {"too_large"}
    page = composer.post("/s/shop/compose/", typed(service, file=a_file("empty")))
    assert "too_large" in codes_on(page)


def test_a_service_that_is_not_connected(service, partner, composer):
    Service.objects.update(base_url="", api_key="")
    assert codes_in(partner.post("sends/plan", asked({}))) == {"not_connected"}
    assert "not_connected" in codes_on(composer.post("/s/shop/compose/", typed(service, pasted=TO[0])))
    assert post(a_key(service), body()).json()["code"] == "7004"


def test_a_reference_that_was_used(partner, service):
    given = asked({"client_reference": "order-1"})
    assert partner.post("sends", given, Idempotency_Key="1").status_code == 201
    again = partner.post("sends", given, Idempotency_Key="2")
    assert (again.status_code, codes_in(again)) == (409, {"reference_used"})
    answer = post(a_key(service), body(clientReference="order-1"))
    assert (answer.status_code, answer.json()["code"]) == (409, "7004")


def test_a_spend_cap_that_is_reached(service, partner, composer):
    Service.objects.update(cap_day=1)
    a_send(service)
    answer = partner.post("sends/plan", asked({}))
    assert (answer.status_code, codes_in(answer)) == (429, {"cap_reached"})
    assert int(answer.headers["Retry-After"]) <= 25 * 3600
    assert "cap_reached" in codes_on(composer.post("/s/shop/compose/", typed(service, pasted=TO[0])))
    answer = post(a_key(service), body())
    assert (answer.status_code, answer.json()["code"]) == (429, "7020")
    assert "Retry-After" in answer.headers and "1 segment" in answer.json()["message"]


def test_a_number_that_has_had_enough_for_one_day(service, partner, composer):
    Service.objects.update(cap_number=1)
    service.refresh_from_db()
    a_send(service, audience=files.read_pasted(TO[0], country="GB", limits=Limits()))
    (removed,) = partner.post("sends/plan", asked({"recipients": [*TO, "+447700900102"]})).json()["rejects"]
    said = rows_text(ProblemCode.NUMBER_CAP, 1)
    assert (removed["code"], removed["detail"]) == ("number_cap_reached", f"{said}.")
    page = composer.post("/s/shop/compose/", typed(service, pasted=f"{TO[0]}\n+447700900102"), follow=True)
    assert codes_on(page) == {"number_cap_reached"}
    assert post(a_key(service), body(TO[0][1:])).status_code == 201
    message = service.sends.latest("pk").messages.get()
    assert (message.state, message.code) == ("failed", "9006")


def an_audience(service: Service) -> Any:
    packed = packing.pack_pasted("mobile\n+447700900101\n12\n13\n", country="GB", limits=Limits())
    return saved.create(service, packed, name="Regulars", by=BY)


def test_a_saved_audience_that_is_taken_used_or_erased(service, partner, composer):
    kept = an_audience(service)
    assert (
        "2 rows have a number with too few digits."
        in composer.get(f"/s/shop/audiences/{kept.pk}/").content.decode()
    )
    given = {"name": "Regulars", "csv": "mobile\n+447700900101\n"}
    partner.post("audiences", given, Idempotency_Key="1")
    taken = partner.post("audiences", given, Idempotency_Key="2")
    assert (taken.status_code, codes_in(taken)) == (409, {"taken"})
    form = {"name": "Regulars", "country": "GB", "pasted": TO[0]}
    assert codes_on(composer.post("/s/shop/audiences/new/", form)) == {"taken"}
    a_send(service, saved=kept.current)
    used = partner.call("DELETE", f"audiences/{kept.pk}")
    assert (used.status_code, codes_in(used)) == (409, {"in_use"})
    AudienceVersion.objects.update(erased_at=NOW)
    gone = partner.post("sends/plan", asked({"recipients": ..., "audience": kept.pk}))
    assert (gone.status_code, codes_in(gone)) == (422, {"erased"})
    assert "erased" in codes_on(composer.post("/s/shop/compose/", typed(service, audience=kept.pk)))


def test_a_draft_that_was_sent_before_or_changed_since_it_was_shown(service, composer):
    for _ in range(2):
        review = composer.post("/s/shop/compose/", typed(service, pasted=TO[0])).url
        changed = composer.post(review, {"revision": "999", "again": "1"}, follow=True)
        assert codes_on(changed) == {"changed"}
        answer = composer.post(review, follow=True)
    assert codes_on(answer) == {"already_sent"}


def test_a_draft_whose_rows_are_being_read_or_whose_check_broke_off(service, composer):
    numbers = "\n".join(f"+44771{at:07d}" for at in range(6_000))
    draft = Draft.objects.create(service=service, sender=service.senders.get(), text="Hi", pasted=numbers)
    plan = f"/s/shop/drafts/{draft.pk}/plan.json"
    with pytest.raises(drafts.NotReady):
        drafts.totals_of(draft, limits=Limits())
    Preparation.objects.update(owner="another", leased_until=NOW + timedelta(hours=1))
    assert codes_in(composer.get(plan)) == {"not_ready"}
    Preparation.objects.update(owner="", leased_until=None, tries=work.PATIENCE - 1)
    with refused('INTO "sms_audiencechunk"'):
        assert codes_in(composer.get(plan)) == {"interrupted"}
    assert codes_in(composer.get(plan)) == {"interrupted"}
    page = composer.get(f"/s/shop/drafts/{draft.pk}/")
    assert 'name="go_on"' in page.content.decode(), "it can go on where it stopped"


def test_the_documents_list_every_code_with_its_meaning():
    page = (ROOT / "docs" / "partners" / "codes.md").read_text(encoding="utf-8")
    rows = [
        (str(code), code.meaning, rows_text(code, 2, "name") if code.of_rows else "–") for code in ProblemCode
    ]
    assert re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", page, re.MULTILINE) == rows
    schema = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["components"]["schemas"]
    assert schema["ProblemCode"]["enum"] == [str(code) for code in ProblemCode]


@pytest.mark.parametrize(
    ("code", "count", "said"),
    [
        ("duplicate", 432, "432 rows repeat an earlier number"),
        ("duplicate", 1, "1 row repeats an earlier number"),
        ("missing_value", 17, "17 rows have no value for $(name)"),
        ("empty", 12_345, "12,345 rows have no number"),
    ],
)
def test_many_rows_are_said_together(code, count, said):
    assert rows_text(ProblemCode(code), count, "name") == said
