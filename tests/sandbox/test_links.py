"""Short links and smartlinks: what stands in the text, where it leads, and for how long."""

import re

import pytest

from tests.sandbox.running import Clock, Running, receiver, sandbox

DAY = 86400
OPTIONS = {"domain": "https://s.imiconnect.co", "shortenLinks": True}


def text_of(running: Running, text: str, **more) -> str:
    answer = running.send(text=text, **more)
    assert answer.status == 201, answer.body
    return running.last()["text"]


def visit(running: Running, url: str, method: str = "GET") -> tuple[int, str]:
    answer = running.call(method, "/" + url.split("/", 3)[3])
    return answer.status, answer.headers.get("location", "")


def test_https_links_become_short_and_lead_where_they_did():
    long = ["https://shop.example/o/1?a=b&c=%C3%A9", "https://shop.example/two"]
    with sandbox() as running:
        text = text_of(running, f"See {long[0]}, or ({long[1]}).", options=OPTIONS)
        short = re.findall(r"https://s\.imiconnect\.co/[A-Za-z0-9]{6}", text)
        assert text == f"See {short[0]}, or ({short[1]})."
        assert short[0] != short[1]
        assert [visit(running, one) for one in short] == [(302, one) for one in long]


@pytest.mark.parametrize(
    "text",
    [
        "http://shop.example/a",
        "shop.example/a",
        "ftp://shop.example",
        "HTTPS",
        "https://",
        "no link {{smartlink_1}}",
    ],
)
def test_what_is_no_https_link_stays(text: str):
    with sandbox() as running:
        assert text_of(running, text, options=OPTIONS) == text


@pytest.mark.parametrize("shorten", [False, "false", None])
def test_links_stay_when_shortening_is_off(shorten: object):
    with sandbox() as running:
        text = "https://shop.example/a"
        assert text_of(running, text, options=OPTIONS | {"shortenLinks": shorten}) == text


def test_every_destination_gets_links_of_its_own_after_its_values_are_in():
    with sandbox() as running:
        body = {
            "to": [
                {"msisdn": ["447700900101"], "substitutions": {"who": "ada"}},
                {"msisdn": ["447700900102", "447700900103"]},
            ],
            "substitutions": {"who": "all"},
        }
        answer = running.post(
            {
                "channel": "sms",
                "from": "TEXTDESK",
                "content": {"type": "text", "text": "https://a.example/$(who)"},
            }
            | {"options": OPTIONS}
            | body
        )
        assert answer.status == 201
        texts = [line["text"] for line in running.log("message")]
        assert len(set(texts)) == 3
        assert [visit(running, one)[1] for one in texts] == [
            "https://a.example/ada",
            "https://a.example/all",
            "https://a.example/all",
        ]


def test_short_link_ends_after_180_days():
    clock = Clock(1_800_000_000)
    with sandbox(clock=clock) as running:
        short = text_of(running, "https://shop.example/a", options=OPTIONS)
        clock.at += 180 * DAY - 1
        assert visit(running, short)[0] == 302
        clock.at += 1
        assert visit(running, short)[0] == 410


def test_unknown_link_is_404():
    with sandbox() as running:
        assert running.get("/abc123").status == 404
        assert running.get("/m/abc123").status == 404


def test_segments_are_those_of_the_short_text():
    with sandbox() as running:
        text_of(running, "https://shop.example/" + "a" * 200, options=OPTIONS)
        assert running.last()["segments"] == 1


def test_click_is_reported_with_tracking_and_not_without_nor_for_smartlinks():
    with receiver() as taken, sandbox() as running:
        tracked = text_of(
            running, "https://shop.example/a", options=OPTIONS | {"trackClicks": "true"}, notifyUrl=taken.url
        )
        untracked = text_of(running, "https://shop.example/b", options=OPTIONS, notifyUrl=taken.url)
        smart = text_of(
            running,
            "{{smartlink_4371}}",
            smartlinks=[{"smartlinkId": 4371, "validity": 1}],
            options=OPTIONS | {"trackClicks": True},
            notifyUrl=taken.url,
        )
        taken.wait(6)
        for url in (smart, untracked, tracked):
            assert visit(running, url)[0] == 302
        clicked = taken.wait(7)[6:]
        assert [one.code for one in clicked] == ["7528"]
        description = clicked[0].json["deliveryInfoNotification"]["deliveryInfo"]["Description"]
        assert description == "https://shop.example/a|127.0.0.1"


@pytest.mark.parametrize(
    "entries",
    [
        [{"smartlinkId": 4371, "validity": 1}],
        [{"smartlinkId": "4371", "validity": "1"}],
        {"smartlinkId": 4371, "validity": 1},
    ],
)
def test_smartlink_is_read_in_every_spelling_and_lives_its_minutes(entries: object):
    clock = Clock(1_800_000_000)
    with sandbox(clock=clock, smartlink="4371=https://app.example/get") as running:
        text = text_of(running, "Get {{smartlink_4371}}!", smartlinks=entries)
        match = re.fullmatch(r"Get (https://uk\.wbxc\.io/m/[A-Za-z0-9]{6})!", text)
        assert match
        clock.at += 59
        assert visit(running, match[1]) == (302, "https://app.example/get")
        clock.at += 1
        assert visit(running, match[1])[0] == 410


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([{"smartlinkId": 9, "validity": 1}], "7004"),
        ([{"validity": 1}], "7003"),
        ([{"smartlinkId": 4371}], "7003"),
        ([{"smartlinkId": 4371, "validity": ""}], "7003"),
        ([{"smartlinkId": 4371, "validity": 0}], "7004"),
        ([{"smartlinkId": 4371, "validity": -1}], "7004"),
        ([{"smartlinkId": 4371, "validity": 1.5}], "7004"),
        ([{"smartlinkId": 4371, "validity": True}], "7004"),
        ([{"smartlinkId": "abc", "validity": 1}], "7004"),
        (["4371"], "7004"),
        ("4371", "7004"),
    ],
)
def test_smartlinks_of_another_form_are_refused(entries: object, code: str):
    with sandbox() as running:
        answer = running.send(text="{{smartlink_4371}}", smartlinks=entries)
        assert (answer.status, answer.code) == (400, code)


def test_token_stays_where_the_request_does_not_list_it_or_the_tenant_has_no_such_smartlink():
    known = ["4371=https://app.example/get", "5=https://app.example/five"]
    with sandbox(switch="unknown_smartlink=leave", smartlink=known) as running:
        entries = [{"smartlinkId": one, "validity": 1} for one in (4371, 6)]
        text = text_of(
            running, "{{smartlink_4371}} {{smartlink_5}} {{smartlink_6}} {{smartlink_7}}", smartlinks=entries
        )
        link, *rest = text.split(" ")
        assert visit(running, link) == (302, "https://app.example/get")
        assert rest == ["{{smartlink_5}}", "{{smartlink_6}}", "{{smartlink_7}}"]


def test_scripted_clicks_are_on_the_first_link():
    with receiver() as taken, sandbox() as running:
        text_of(
            running,
            "https://shop.example/a https://shop.example/b",
            to="447700900007",
            options=OPTIONS | {"trackClicks": True},
            notifyUrl=taken.url,
            requestedReceipts=["CLICKED"],
        )
        clicked = taken.wait(3)
        infos = [one.json["deliveryInfoNotification"]["deliveryInfo"] for one in clicked]
        assert [one["Description"].split("|")[0] for one in infos] == ["https://shop.example/a"] * 3


def test_smartlinks_are_not_shortened():
    with sandbox() as running:
        entries = [{"smartlinkId": 4371, "validity": 1}]
        text = text_of(running, "{{smartlink_4371}} https://a.example/b", smartlinks=entries, options=OPTIONS)
        assert re.fullmatch(r"https://uk\.wbxc\.io/m/\w{6} https://s\.imiconnect\.co/\w{6}", text)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "7003"),
        ({"shortenLinks": True}, "7003"),
        ({"domain": ""}, "7003"),
        ({"domain": 5}, "7004"),
        ({"domain": "https://s.imiconnect.co/path"}, "7004"),
        ({"domain": "https://"}, "7004"),
        ({"domain": "s p.example"}, "7004"),
        (OPTIONS | {"shortenLinks": "yes"}, "7004"),
        (OPTIONS | {"trackClicks": 1}, "7004"),
        (OPTIONS | {"trackClicks": ""}, "7004"),
        (OPTIONS | {"allowFallbackURL": []}, "7004"),
        (OPTIONS | {"tag1": "x" * 51}, "7004"),
        (OPTIONS | {"tag2": "spring sale"}, "7004"),
        (OPTIONS | {"tag1": 7}, "7004"),
        ([], "7004"),
        (OPTIONS | {"tag1": "spring-1_A", "tag2": "x" * 50, "allowFallbackURL": "true"}, "201"),
        (OPTIONS | {"tag1": "", "tag2": None, "allowFallbackURL": True}, "201"),
        ({"domain": "uk.wbxc.io"}, "201"),
    ],
)
def test_options_keep_to_their_rules(options: object, code: str):
    with sandbox() as running:
        answer = running.send(options=options)
        assert (answer.code if answer.status == 400 else str(answer.status)) == code


def test_domain_without_scheme_is_written_with_https():
    with sandbox() as running:
        text = text_of(running, "https://a.example/b", options=OPTIONS | {"domain": "uk.wbxc.io"})
        assert re.fullmatch(r"https://uk\.wbxc\.io/\w{6}", text)


def test_tenant_knows_its_own_domains_where_others_are_refused():
    with sandbox(switch="unknown_domain=7004", domain="Links.Shop.Example") as running:
        for domain in ("https://links.shop.example", "https://uk.wbxc.io/", "s.imiconnect.co"):
            assert running.send(options={"domain": domain}).status == 201
        assert running.send(options={"domain": "https://shop.example"}).code == "7004"


@pytest.mark.parametrize("fallback", ["true", True])
def test_long_link_goes_out_when_the_shortener_is_down_and_the_request_allows_it(fallback: object):
    with sandbox(fault="shortener=1") as running:
        text = "https://shop.example/a"
        assert text_of(running, text, options=OPTIONS | {"allowFallbackURL": fallback}) == text
        assert running.last()["outcome"] == "delivered"
        text_of(running, text, options=OPTIONS)
        assert running.last()["outcome"] == "not-shortened"
