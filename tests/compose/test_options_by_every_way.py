"""Every send option through every way in: what is stored of it, and what the provider gets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import models

from sms.api.drop_in.body import WIRE_NAMES
from sms.api.drop_in.order import PARAMETERS
from sms.catalogue import templates
from sms.models import (
    ALL_RECEIPTS,
    ContactPolicyGroup,
    Echo,
    Lane,
    Message,
    Receipts,
    Resend,
    Send,
    SendOptions,
    Service,
    ShortLinkDomain,
    Smartlink,
)
from sms.values.msisdn.kinds import NumberKind
from tests.support.drop_in import post
from tests.support.option_table import COLUMNS, rows
from tests.support.pages import add_send
from tests.support.partners import Partner, a_key
from tests.support.people import a_cast
from tests.support.provider import Provider
from tests.support.sends import BY

pytestmark = pytest.mark.django_db

PEOPLE = "number,name,Correlation ID\n" + "".join(
    f"+44771{at:07d},Ada,order-{at}\n" for at in range(100)
)  # as many as a small start needs
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
FIRST: dict[str, Any] = {
    "policy_group": "Offers",
    "check_consent": False,
    "apply_frequency_cap": True,
    "link_domain": "go.example.test",
    "shorten_links": True,
    "track_clicks": False,
    "allow_fallback_url": True,
    "tag1": "spring",
    "tag2": "wk-12",
    "smartlink_validity": 30,
    "receipts": Receipts.DELIVERED | Receipts.FAILED,
    "callback_data": " order=981 " + "x" * 1988 + " ",
    "notify_url": "https://partner.example.com/r",
    "notify_url_auth_id": "TNPXXXT09U",
    "batch_id": "spring-7",
    "validity": 3600,
    "language": "de",
    "lane": Lane.URGENT,
    "resend": Resend.EVIDENCE,
    "ramp": True,
    "respect_quiet_hours": False,
    "leave_out": NumberKind.LANDLINE | NumberKind.FREE,
}
SECOND: dict[str, Any] = {
    "link_domain": "go.example.test",
    "shorten_links": False,
    "track_clicks": False,
    "expires_at": TOMORROW,
    "resend": Resend.ALWAYS,
    "lane": Lane.BULK,
    "check_consent": True,
    "policy_group": "Offers",
}
FIELDS = {field.name: Send._meta.get_field(field.name) for field in SendOptions.fields()}


def sample(field: Any) -> Any:
    """A value for an option that the samples do not name."""
    match field:
        case models.BooleanField():
            return not field.default
        case models.IntegerField():
            return max(
                [one.limit_value for one in field.validators if hasattr(one, "limit_value")], default=2
            )
    return field.choices[-1][0] if field.choices else "x1"


FIRST |= {name: sample(field) for name, field in FIELDS.items() if name not in FIRST | SECOND}


@pytest.fixture
def cast():
    found = a_cast()
    service = found.service
    ContactPolicyGroup.objects.create(service=service, name="Offers", group_id="G1")
    ShortLinkDomain.objects.create(service=service, region=service.region, host="go.example.test")
    Smartlink.objects.create(service=service, smartlink_id=7, name="Shop", validity=60)
    made = templates.create(service, "table", templates.Wording("Hi"), by=BY)
    german = templates.Wording("Hallo $(name): {{smartlink_7}} https://shop.example", language="de")
    templates.publish(templates.save_draft(made, german, by=BY), by=BY)
    return found


def named(asked: dict[str, Any]) -> dict[str, Any]:
    """As programs write them."""
    written = dict(asked)
    for name, value in asked.items():
        match value:
            case Receipts() | NumberKind():
                written[name] = value.names
            case Lane():
                written[name] = value.name.lower()
            case datetime():
                written[name] = value.isoformat()
    return written


def with_keys(cast, asked: dict[str, Any]) -> dict[str, Any]:
    """As forms hold what is chosen."""
    kept = dict(asked)
    for name, by in (("policy_group", "name"), ("link_domain", "host")):
        if name in kept:
            kept[name] = FIELDS[name].related_model.objects.get(**{by: kept[name]}).pk
    kept |= {name: kept[name].names for name in ("receipts", "leave_out") if name in kept}
    return kept


def by_the_page(cast, asked: dict[str, Any]) -> None:
    typed = with_keys(cast, asked)
    for name in ("check_consent", "apply_frequency_cap"):
        if name in typed:
            typed[name] = "yes" if typed[name] else "no"
    shorten, track = typed.pop("shorten_links", True), typed.pop("track_clicks", True)
    typed["track"] = "off" if not shorten else "yes" if track else "no"
    if validity := typed.pop("validity", None):
        typed |= {"ends": "after", "validity_count": validity // 60, "validity_unit": "60"}
    if expires := typed.pop("expires_at", None):
        typed |= {"ends": "at", "expires_at": f"{expires:%Y-%m-%dT%H:%M}", "time_zone": "UTC"}
    typed = {name: value for name, value in typed.items() if value is not False}
    typed.setdefault("receipts", Send().receipts.names)
    template = cast.service.templates.get().pk
    whole = {"sender": cast.service.senders.get().pk, "country": "GB", "when": "now", "template": template}
    whole |= {"pasted": PEOPLE, "receipts_shown": "1"} | typed
    told = cast["composer"].post("/s/shop/compose/save/", whole).json()
    assert told["errors"] == {}
    review = cast["composer"].get(f"/s/shop/drafts/{told['draft']}/review/").content.decode()
    assert asked.get("notify_url", "") in review and asked.get("batch_id", "") in review
    answer = cast["composer"].post(f"/s/shop/drafts/{told['draft']}/review/")
    assert answer.status_code == 302, answer.content.decode()


def by_the_api(cast, asked: dict[str, Any]) -> None:
    content = {"template": "table", "sender": "SHOP", "csv": PEOPLE} | named(asked)
    answer = Partner(a_key(cast.service)).post("sends", content, Idempotency_Key="k")
    assert answer.status_code == 201, answer.content


def by_a_form_of_the_api(cast, asked: dict[str, Any]) -> None:
    content = {"template": "table", "sender": "SHOP"} | named(asked)
    content = {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in content.items()
    }
    content["file"] = SimpleUploadedFile("people.csv", PEOPLE.encode())
    partner = Partner(a_key(cast.service))
    headers = {"key": partner.token, "Idempotency-Key": "k"}
    answer = partner.client.post("/api/v1/sends", content, headers=headers)
    assert answer.status_code == 201, answer.content


def by_the_drop_in(cast, asked: dict[str, Any]) -> None:
    cells = [line.split(",") for line in PEOPLE.splitlines()[1:]]
    content: dict[str, Any] = {
        "channel": "sms",
        "from": "SHOP",
        "template": {"id": "table"},
        "to": [{"msisdn": [number], "correlationId": called} for number, _, called in cells],
        "substitutions": {"name": "Ada"},
    }
    for name, value in named(asked).items():
        inside, _, parameter = PARAMETERS[name].rpartition(".")
        (content.setdefault(inside, {}) if inside else content)[parameter] = value
    content.setdefault("contactPolicy", {})
    content["options"]["domain"] = "https://go.example.test"
    answer = post(a_key(cast.service), content)
    assert answer.status_code == 201, answer.content


def by_the_admin(cast, asked: dict[str, Any]) -> None:
    typed = with_keys(cast, asked)
    for name in ("check_consent", "apply_frequency_cap"):
        if name in typed:
            typed[name] = str(typed[name]).lower()
    if expires := typed.pop("expires_at", None):
        typed |= {"expires_at_0": f"{expires:%Y-%m-%d}", "expires_at_1": f"{expires:%H:%M:%S}"}
    usual = {"shorten_links": True, "track_clicks": True, "respect_quiet_hours": True}
    typed = {name: value for name, value in (usual | typed).items() if value is not False}
    whole = {"service": cast.service.pk, "sender": cast.service.senders.get().pk, "recipients_text": PEOPLE}
    whole |= {"template": cast.service.templates.get().pk, "send_at_0": "", "send_at_1": ""}
    answer = add_send(cast["admin"], whole | typed)
    assert answer.status_code == 302, answer.content.decode()


def by_the_command(cast, asked: dict[str, Any], tmp_path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    arguments = ["--service=shop", "--sender=SHOP", "--template=table", f"--audience={file}"]
    for name, value in named(asked).items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(f"--{'' if value else 'no-'}{flag}")
        else:
            arguments.append(f"--{flag}={','.join(value) if isinstance(value, list) else value}")
    call_command("send", *arguments)


WAYS: dict[str, Callable[..., None]] = {
    "page": by_the_page,
    "api": by_the_api,
    "api form": by_a_form_of_the_api,
    "drop-in": by_the_drop_in,
    "admin": by_the_admin,
    "command": by_the_command,
}


def sent(cast, way: str, asked: dict[str, Any], tmp_path) -> tuple[Send, dict[str, Any]]:
    WAYS[way](cast, asked, *([tmp_path] if way == "command" else []))
    provider = Provider()
    provider.dispatch()
    return Send.objects.get(), provider.bodies[0]


def stored(send: Send, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        name: str(getattr(send, name)) if isinstance(FIELDS[name], models.ForeignKey) else getattr(send, name)
        for name in asked
    }


def test_the_two_samples_together_change_every_option():
    unchanged = {
        name
        for name, field in FIELDS.items()
        if all(asked.get(name, field.get_default()) == field.get_default() for asked in (FIRST, SECOND))
    }
    assert unchanged == set()


@pytest.mark.parametrize("way", WAYS)
def test_every_option_is_stored_and_reaches_the_provider(cast, way, tmp_path):
    Service.objects.update(quiet_hours="00:00-23:59")
    before = datetime.now(UTC)
    send, body = sent(cast, way, FIRST, tmp_path)
    kept, wanted = stored(send, FIRST), dict(FIRST)
    receipts = ["DELIVERED", "FAILED"]
    if way == "drop-in":  # counted from the request, so that it ends what waits here, too
        assert before <= send.expires_at - timedelta(hours=1) <= send.created_at
        receipts = ["SUBMITTED", "DELIVERED", "FAILED"]  # its own are looked at when they are passed on
    assert (body["validity"], "expireAt" in body) == ("3600", False)
    assert kept == wanted
    assert send.quiet_hours == ""
    assert body["content"]["text"] == "Hallo Ada: {{smartlink_7}} https://shop.example"
    assert body["smartlinks"] == [{"smartlinkId": 7, "validity": 30}]
    assert body["contactPolicy"] == {"contactPolicyGroup": "G1", "channelApplyFrequencyCap": True}
    assert body["options"] == {
        "shortenLinks": True,
        "trackClicks": False,
        "domain": "https://go.example.test",
        "tag1": "spring",
        "tag2": "wk-12",
        "allowFallbackURL": "true",
    }
    assert body["requestedReceipts"] == receipts
    assert body["notifyUrl"].startswith("https://desk.example.test/receipts/")
    passed_on = {name: FIRST[name] for name in WIRE_NAMES.keys() & FIRST.keys() - {"validity", "notify_url"}}
    assert passed_on.keys() >= {"callback_data", "notify_url_auth_id", "batch_id"}
    assert {name: body[WIRE_NAMES[name]] for name in passed_on} == passed_on
    assert send.notify.endpoint.url == "https://partner.example.com"
    first = Message.objects.order_by("pk").first()
    assert Message.objects.exclude(state="pending").count() == 1, "a small start"
    assert (Echo.objects.count(), first.partner_correlation_id) == (100, "order-0")


@pytest.mark.parametrize("way", WAYS)
def test_what_excludes_another_option_is_stored_and_reaches_the_provider(cast, way, tmp_path):
    asked = dict(SECOND)
    if way == "drop-in":
        asked["apply_frequency_cap"] = False  # not given means false there
    send, body = sent(cast, way, asked, tmp_path)
    assert stored(send, asked) == asked
    assert "options" not in body, "links stay as they are"
    assert body["contactPolicy"] == {"contactPolicyGroup": "G1", "channelCheckConsent": True}
    assert datetime.fromisoformat(body["expireAt"]) == TOMORROW
    assert "validity" not in body
    assert send.receipts == (ALL_RECEIPTS if way == "drop-in" else Send().receipts)


def test_every_way_in_has_every_option():
    gaps = [(row[0], way) for row in rows() for way, called in zip(COLUMNS, row, strict=True) if not called]
    assert gaps == []


def test_the_drop_in_names_a_wrong_option_of_ours(cast):
    content = {
        "channel": "sms",
        "from": "SHOP",
        "to": [{"msisdn": ["447700900001"]}],
        "content": {"type": "text", "text": "Hi"},
    }
    token = a_key(cast.service)
    for ours, says in (
        ({"lane": "fast"}, "textdesk.lane"),
        ({"smartlink_validity": 0}, "textdesk.smartlink_validity"),
        ({"colour": "red"}, "textdesk.colour"),
        ({"validity": 60}, "textdesk.validity"),
    ):
        answer = post(token, content | {"textdesk": ours})
        assert (answer.status_code, answer.json()["code"]) == (400, "7004"), ours
        assert says in answer.json()["message"]
    assert not Send.objects.exists()


def test_the_command_fills_placeholders_from_other_columns_and_says_what_it_cannot_read(cast, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("number,Guest\n+447710000001,Ada\n+447710000002,\n")
    arguments = ["--service=shop", "--sender=SHOP", f"--audience={file}", "--text=Hi $(name)"]
    call_command("send", *arguments, "--fill=name=Guest", "--fallback=name=friend")
    assert list(Message.objects.order_by("row").values_list("text", flat=True)) == ["Hi Ada", "Hi friend"]
    for wrong, says in (
        ("--fill=nam=Guest", r"fill: The text has no placeholder \$\(nam\). It has: \$\(name\)."),
        ("--fill=name", "fill: 'name' is not written like"),
        (
            "--receipts=SENT, OPENED",
            "receipts: “OPENED” is no receipt. Choose from SUBMITTED, SENT, DELIVERED, ",
        ),
        ("--receipts=", "receipts: Ask for at least one receipt."),
        ("--language=de", "language: This needs --template. Give it, or leave this out."),
        ("--tag1=spring", "tag1: This needs --link-domain."),
        ("--no-check-consent", "check_consent: This needs --policy-group."),
        ("--country=uk", "country: “UK” is not a country. Write its two letters, like GB."),
        ("--validity=soon", "validity: "),
        ("--policy-group=None", "is not a policy group of Shop. It has: Offers."),
        ("--link-domain=x.example", "is not a link domain of Shop. It has: go.example.test."),
    ):
        with pytest.raises(Exception, match=says):
            call_command("send", *arguments, "--fallback=name=you", wrong)


def test_a_correlation_id_beside_a_number_comes_back_and_a_long_one_is_a_reject(cast):
    partner = Partner(a_key(cast.service))
    rows = [{"number": "+447700900001", "correlation_id": "o-1"}, {"number": "+447700900002"}]
    made = partner.post("sends", {"text": "Hi", "recipients": rows}, Idempotency_Key="k").json()
    listed = partner.get(f"sends/{made['id']}/messages").json()["items"]
    assert [one["correlation_id"] for one in listed] == [None, "o-1"]
    assert partner.get(f"messages/{listed[1]['id']}").json()["correlation_id"] == "o-1"
    csv = f"number,correlationId\n+447700900001,{'x' * 201}\n+447700900002,o-2\n"
    made = partner.post("sends", {"text": "Hi", "csv": csv}, Idempotency_Key="k2").json()
    assert (made["recipient_count"], made["rejected"]) == (1, 1)
    page = b"".join(cast["admin"].post(f"/s/shop/sends/{made['id']}/messages/").streaming_content).decode()
    assert ",o-2," in page
