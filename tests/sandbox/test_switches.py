"""Every switch, at every setting, does what it says; and its first choice is what happens without it."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from sms.webex.sandbox import command
from sms.webex.sandbox.message_log import SandboxMessage
from sms.webex.sandbox.switches import TABLE, Switches, switches_of
from tests.environment import ROOT
from tests.sandbox import receipt_proofs, request_proofs
from tests.sandbox.proving import Proof
from tests.sandbox.running import Answer, Clock, Running, order, receiver, sandbox

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
JWT = {"service_id": "SVC-TEST-0001", "service_secret": SECRET}
LINK = "Look: https://shop.example/o/1"
DOMAIN = {"domain": "https://uk.wbxc.io", "shortenLinks": True}
BOTH = {"channelCheckConsent": True, "channelApplyFrequencyCap": True}
SMART = [{"smartlinkId": 4371, "validity": 5}]


def said(answer: Answer) -> str:
    """201, 7004, or 429 where there is no body."""
    return answer.code if answer.status >= 400 and answer.body else str(answer.status)


def reply(running: Running, *given, **more) -> str:
    return said(running.send(*given, **more))


def outcome(running: Running, *given, **more) -> str:
    """What the reply refuses with, or what becomes of the message."""
    answer = running.send(*given, **more)
    return running.last()["outcome"] if answer.status == 201 else said(answer)


def text_of(running: Running, *given, **more) -> str:
    answer = running.send(*given, **more)
    return running.last()["text"] if answer.status == 201 else said(answer)


def ahead(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def token(**claims: float) -> dict[str, str]:
    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = part(b'{"alg":"HS256","typ":"JWT"}')
    body = head + b"." + part(json.dumps({"iss": JWT["service_id"]} | claims).encode())
    signature = hmac.new(base64.b64decode(SECRET), body, hashlib.sha256).digest()
    return {"Authorization": f"Bearer {(body + b'.' + part(signature)).decode()}"}


def shape_of_many(running: Running) -> str:
    answer = running.send(["447700900101", "447700900102"]).json
    if isinstance(answer, list):
        return f"list of {len(answer)}"
    return f"object with {len(answer['messages'])}" if "messages" in answer else "object"


def ids_of_many(running: Running) -> str:
    running.send(["447700900101", "447700900102"])
    first, second = (line["messageId"] for line in running.log("message"))
    return (
        "same" if first == second else second.removeprefix(first) if second.startswith(first) else "another"
    )


def unauthorised(running: Running) -> tuple[int, str]:
    answer = running.post(order(), headers={})
    return answer.status, answer.code


def future_tokens(running: Running) -> tuple[int, int]:
    near, far = int(time.time()) + 30, int(time.time()) + 900
    return running.post(order(), token(iat=near)).status, running.post(order(), token(iat=far)).status


def long_token(running: Running) -> int:
    now = int(time.time())
    return running.post(order(), token(iat=now - 4000, exp=now + 600)).status


def read_back(running: Running) -> int:
    return running.get(f"/v2/messages/{running.send().json['messageId']}", {"key": "any"}).status


def over_quota(running: Running) -> tuple[int, str]:
    assert running.send().status == 201
    answer = running.send()
    return answer.status, answer.code


def throttle(running: Running) -> set[str]:
    answers = [running.send() for _ in range(40)]
    return {said(one) for one in answers} - {"201"}


def retry_after(running: Running) -> str:
    running.send()
    value = running.send().headers.get("retry-after", "")
    return "date" if value.endswith("GMT") else value


def second_call(running: Running, *, first: int) -> str:
    """Whether a call passes directly after one with `first` destinations, at 5 a second."""
    assert running.send([f"44770090010{n}" for n in range(first)]).status == 201
    return reply(running, [f"44770090010{n}" for n in range(4)])


def too_many_at_once(running: Running) -> tuple[str, str]:
    numbers = [f"44770090010{n}" for n in range(8)]
    return reply(running, numbers), reply(running)


def in_one_object(running: Running) -> str:
    return reply(running, [f"4479460{n:05}" for n in range(1001)])


def receipts_of(running: Running, **more) -> list[str]:
    """Codes of the receipts of one message, by the time that one sent after its end has a receipt of its own."""
    with receiver() as taken:
        path = f"/v2/messages/{running.send(notifyUrl=taken.url, **more).json.get('messageId')}"
        deadline = time.monotonic() + 60
        while (found := running.get(path, {"key": "any"})).status == 200 and found.json[
            "status"
        ] != "Delivered":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        running.send(
            "447700900998", notifyUrl=taken.url, requestedReceipts=["DELIVERED"], callbackData="last"
        )
        with taken.arrived:
            assert taken.arrived.wait_for(lambda: any(b'"last"' in one.body for one in taken.got), 10)
        return sorted(one.code for one in taken.got if b'"last"' not in one.body)


def attempts(running: Running, url: str) -> str:
    """How the attempt to call `url` ended, or the refusal."""
    answer = running.send(notifyUrl=url, requestedReceipts=["SUBMITTED"])
    if answer.status != 201:
        return said(answer)
    ended = running.await_log("receipt")[0]["answer"]
    return "invalid" if ended == "invalid notifyUrl" else "called"


def written(running: Running) -> list[SandboxMessage]:
    """The sandbox's own log: nothing outside shows how long a message lives."""
    return list(running.listening.sandbox.log.ids.values())


def smartlink_lives(running: Running) -> tuple[int, int]:
    """The status of a smartlink of 5 (minutes or seconds) after six seconds and after six minutes."""
    running.send(text="{{smartlink_4371}}", smartlinks=SMART)
    path = "/" + running.last()["text"].split("/", 3)[3]
    clock = running.listening.sandbox.tenant.clock
    found = []
    for seconds in (6, 354):
        clock.at += seconds
        found.append(running.get(path).status)
    return found[0], found[1]


PROOFS = {
    "accepted_as": Proof(lambda run: run.send().status, {"201": 201, "200": 200, "202": 202}),
    "reply_to_many": Proof(
        shape_of_many, {"object": "object", "list": "list of 2", "object_with_list": "object with 2"}
    ),
    "ids_of_many": Proof(ids_of_many, {"suffix": "_1", "same": "same", "own": "another"}),
    "reply_time": Proof(
        lambda run: run.send().json["requestTimestamp"][23:], {"utc": "Z", "offset": "-04:00"}
    ),
    "error_style": Proof(
        lambda run: run.send(sendAt="soon").json["message"],
        {"hyphen": "Invalid parameter - sendAt", "colon": "Invalid parameter: sendAt"},
    ),
    "error_code": Proof(lambda run: run.send(sendAt="soon").json["code"], {"text": "7004", "number": 7004}),
    "sign_in_refused": Proof(
        unauthorised, {"401": (401, ""), "401_body": (401, "7002"), "403_body": (403, "7002")}
    ),
    "jwt_future": Proof(future_tokens, {"minute": (201, 401), "none": (401, 401), "any": (201, 201)}, JWT),
    "jwt_life": Proof(long_token, {"hour": 401, "exp": 201}, JWT),
    "blocked_address": Proof(reply, {"7127": "7127", "7010": "7010"}, {"allow_ip": "192.0.2.0/24"}),
    "over_quota": Proof(
        over_quota, {"403": (403, ""), "7020": (400, "7020"), "7103": (400, "7103")}, {"quota": 1}
    ),
    "read_back": Proof(read_back, {"on": 200, "off": 404}),
    "throttle_as": Proof(
        throttle, {"429": {"429"}, "7020": {"7020"}, "either": {"429", "7020"}}, {"tps": 0.01, "seed": 1}
    ),
    "retry_after": Proof(retry_after, {"none": "", "seconds": "100", "date": "date"}, {"tps": 0.01}),
    "rate_counts": Proof(partial(second_call, first=4), {"destinations": "429", "calls": "201"}, {"tps": 5}),
    "call_over_rate": Proof(
        too_many_at_once,
        {"7009": ("7009", "201"), "throttle": ("429", "201"), "take": ("201", "429")},
        {"tps": 5},
    ),
    "burst": Proof(partial(second_call, first=3), {"off": "429", "on": "201"}, {"tps": 5}),
    "unknown_field": Proof(partial(reply, colour="red"), {"ignore": "201", "7004": "7004"}),
    "bad_type": Proof(
        partial(reply, content={"type": "flash", "text": "x"}), {"7126": "7126", "7004": "7004"}
    ),
    "destinations_counted": Proof(in_one_object, {"numbers": "7009", "objects": "201"}),
    "past_send_at": Proof(partial(outcome, sendAt=ahead(days=-1)), {"now": "delivered", "7004": "7004"}),
    "past_expire_at": Proof(
        partial(outcome, expireAt=ahead(days=-1)), {"7208": "expired-before-sending", "7004": "7004"}
    ),
    "zero_validity": Proof(
        partial(outcome, validity="0"), {"7004": "7004", "7208": "expired-before-sending"}
    ),
    "long_validity": Proof(
        lambda run: (
            reply(run, validity=72 * 3600 + 1),
            [one.order.expire_at - one.at for one in written(run)],
        ),
        {"7004": ("7004", []), "cut": ("201", [259200]), "take": ("201", [259201])},
        {"clock": 1_800_000_000},
    ),
    "zoneless_time": Proof(
        lambda run: outcome(run, expireAt=ahead(hours=1)[:-1]), {"7004": "7004", "utc": "delivered"}
    ),
    "long_correlation": Proof(
        lambda run: said(
            run.post(order() | {"to": [{"msisdn": ["447700900101"], "correlationId": "x" * 51}]})
        ),
        {"keep": "201", "7004": "7004"},
    ),
    "omitted_receipts": Proof(receipts_of, {"all": ["7500", "7501"], "none": []}),
    "bad_notify_url": Proof(partial(attempts, url="https:/nowhere"), {"silent": "invalid", "7004": "7004"}),
    "notify_url_end": Proof(
        partial(attempts, url="http://127.0.0.1:9/ "), {"invalid": "invalid", "trim": "called"}
    ),
    "plain_notify_url": Proof(
        partial(attempts, url="http://127.0.0.1:9/"), {"take": "called", "invalid": "invalid"}
    ),
    "bad_notify_auth": Proof(
        lambda run: (reply(run, notifyUrlAuthId="short"), receipts_of(run, notifyUrlAuthId="short")),
        {"park": ("201", []), "7004": ("7004", [])},
    ),
    "options_tags": Proof(partial(reply, options=DOMAIN), {"optional": "201", "required": "7003"}),
    "fallback_flag": Proof(partial(reply, options=DOMAIN), {"optional": "201", "required": "7003"}),
    "unknown_domain": Proof(
        partial(reply, options=DOMAIN | {"domain": "https://else.example"}), {"take": "201", "7004": "7004"}
    ),
    "plus": Proof(outcome, {"optional": "delivered", "required": "invalid-address"}),
    "bad_sender": Proof(
        partial(outcome, **{"from": "TWELVE CHARS"}), {"receipt": "invalid-sender", "reply": "7101"}
    ),
    "bad_address": Proof(lambda run: outcome(run, "0770"), {"receipt": "invalid-address", "reply": "7102"}),
    "long_text": Proof(partial(outcome, text="x" * 1025), {"receipt": "too-long", "reply": "7107"}),
    "bad_template": Proof(
        partial(outcome, content=None, template={"id": "NONE"}),
        {"reply": "7108", "receipt": "invalid-template"},
    ),
    "missing_value": Proof(
        lambda run: (text_of(run, text="Hi $(name)!"), run.last()["outcome"]),
        {
            "leave": ("Hi $(name)!", "delivered"),
            "blank": ("Hi !", "delivered"),
            "7121": ("Hi $(name)!", "missing-value"),
        },
    ),
    "placeholder": Proof(
        partial(text_of, text="$(a) ${a}", substitutions={"a": "1"}),
        {"parentheses": "1 ${a}", "braces": "$(a) 1", "both": "1 1"},
    ),
    "inline_values": Proof(
        partial(text_of, text="$(a)", substitutions={"a": "1"}), {"fill": "1", "templates": "$(a)"}
    ),
    "text_outside_gsm": Proof(
        lambda run: (text_of(run, text="Ж" * 71), run.log("message") and run.last()["segments"]),
        {"upgrade": ("Ж" * 71, 2), "replace": ("?" * 71, 1), "7004": ("7004", [])},
    ),
    "length_counts": Proof(
        partial(outcome, text="$(a)", substitutions={"a": "x" * 1025}),
        {"filled": "too-long", "written": "delivered"},
    ),
    "contact_policy": Proof(
        partial(outcome, contactPolicy=BOTH | {"contactPolicyGroup": "demo-marketing"}),
        {"on": "delivered", "off": "policy-off", "down": "policy-unreachable"},
    ),
    "policy_codes": Proof(
        partial(outcome, contactPolicy=BOTH | {"contactPolicyGroup": "nowhere"}),
        {"receipt": "policy-group", "reply": "9005"},
    ),
    "policy_no_flag": Proof(
        partial(outcome, contactPolicy={"contactPolicyGroup": "demo-marketing"}),
        {"7004": "7004", "9001": "policy-incomplete", "ignore": "delivered"},
    ),
    "policy_no_group": Proof(
        partial(outcome, contactPolicy=BOTH), {"7003": "7003", "7004": "7004", "9001": "policy-incomplete"}
    ),
    "no_fallback": Proof(
        lambda run: (outcome(run, text=LINK, options=DOMAIN), run.last()["text"]),
        {"7202": ("not-shortened", LINK), "long": ("delivered", LINK)},
        {"fault": "shortener=1"},
    ),
    "unknown_smartlink": Proof(
        partial(outcome, text="{{smartlink_9}}", smartlinks=[{"smartlinkId": 9, "validity": 1}]),
        {"reply": "7004", "receipt": "invalid-parameter", "leave": "delivered"},
    ),
    "unlisted_smartlink": Proof(
        partial(text_of, text="{{smartlink_4371}}"), {"leave": "{{smartlink_4371}}", "7004": "7004"}
    ),
    "unused_smartlink": Proof(partial(reply, smartlinks=SMART), {"7004": "7004", "ignore": "201"}),
    "smartlink_validity": Proof(
        smartlink_lives, {"minutes": (302, 410), "seconds": (410, 410)}, {"clock": 1_800_000_000}
    ),
}

PROOFS |= request_proofs.PROOFS
ALL = PROOFS | receipt_proofs.PROOFS


def test_every_switch_has_a_proof_of_every_choice():
    assert {one.name for one in TABLE} == set(ALL)
    for one in TABLE:
        assert tuple(ALL[one.name].seen) == one.metadata["choices"], one.name
        assert one.default == one.metadata["choices"][0]
        assert len(one.metadata["choices"]) > 1


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_switch_does_what_it_says(name: str):
    proof = PROOFS[name]
    seen = {choice: observed(proof, switch=f"{name}={choice}") for choice in proof.seen}
    assert seen == proof.seen
    assert len({repr(one) for one in seen.values()}) == len(seen)
    assert observed(proof) == next(iter(proof.seen.values()))


def observed(proof: Proof, **more: str) -> object:
    options = dict(proof.options) | more
    if "clock" in options:
        options["clock"] = Clock(options["clock"])
    with sandbox(**options) as running:
        return proof.probe(running)


@pytest.mark.parametrize("given", ["colour=red", "accepted_as=204", "accepted_as", "=", ""])
def test_switch_that_there_is_not_is_refused_with_a_sentence(given: str):
    with pytest.raises(ValueError, match=r"\.$"):
        switches_of([given])


def test_last_of_two_settings_counts_and_others_stay():
    found = switches_of(["plus=required", "accepted_as=200", "plus=optional"], Switches(burst="on"))
    assert (found.plus, found.accepted_as, found.burst) == ("optional", "200", "on")


def row(name: str, choices: tuple[str, ...], about: str) -> str:
    """The line of a switch in docs/partners/sandbox.md."""
    return f"| `{name}` | {' · '.join(choices)} | {about} |"


def test_every_switch_stands_in_the_documentation_with_its_choices():
    page = (ROOT / "docs" / "partners" / "sandbox.md").read_text("utf-8")
    rows = [row(one.name, one.metadata["choices"], one.metadata["about"]) for one in TABLE]
    assert not [one for one in rows if one not in page]
    assert sum(line.startswith("| `") and " · " in line for line in page.splitlines()) == len(rows)


def test_help_lists_every_switch(capsys):
    with pytest.raises(SystemExit):
        command.read(["--help"])
    shown = capsys.readouterr().out
    for one in TABLE:
        assert f"  {one.name} = {' | '.join(one.metadata['choices'])}\n" in shown


def test_command_line_refuses_a_wrong_switch_with_a_sentence(capsys):
    with pytest.raises(SystemExit):
        command.read(["--switch", "burst=maybe"])
    assert "burst is one of off, on." in capsys.readouterr().err
