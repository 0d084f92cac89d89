"""The phones: JSON for programs, a page for people."""

import re
import time

import pytest

from sms.webex.sandbox.handsets import wants_page
from tests.sandbox.running import Running, sandbox

PATH = "/__sandbox__/handsets"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
LINKS = {"domain": "https://uk.wbxc.io", "shortenLinks": True}


def page(running: Running, query: str = "") -> str:
    answer = running.get(PATH + query, BROWSER)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.body.decode()


def numbers(html: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", html)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (BROWSER["Accept"], True),
        ("text/html", True),
        ("TEXT/HTML;q=0.5, application/json;q=0.4", True),
        ("text/html;q=0.4, application/json;q=0.5", False),
        ("application/json", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
    ],
)
def test_who_gets_the_page(accept, wanted):
    assert wants_page(accept) is wanted


def test_programs_get_json():
    with sandbox() as running:
        running.send(["447700900001", "447946000001"], text="Hello")
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            answer = running.get(PATH, headers)
            assert answer.headers["content-type"] == "application/json"
            assert list(answer.json) == ["+447700900001", "+447946000001"]
            [one] = answer.json["+447700900001"]
            assert set(one) == {"at", "from", "text", "segments", "status", "messageId", "correlationId"}
            assert (one["text"], one["from"], one["segments"]) == ("Hello", "TEXTDESK", 1)


def test_programs_may_ask_for_some_phones():
    with sandbox() as running:
        running.send(["447700900001", "447946000001", "447946000002"])
        asked = "?phone=%2B447946000002&phone=%2B447700900001&phone=%2B447946000009"
        assert list(running.get(PATH + asked).json) == ["+447946000002", "+447700900001"]


def test_texts_are_escaped():
    with sandbox() as running:
        hostile = "<script>alert(1)</script> & \"x\" 'y' </p><img src=x onerror=alert(2)>"
        running.send(text=hostile)
        running.send("<b>12</b>", text="x")
        running.send(text="y", **{"from": "A1"})
        html = page(running)
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in html
        assert "&lt;b&gt;12&lt;/b&gt;" in html
        for bad in ("<script", "<img", "<b>12"):
            assert bad not in html
        html = page(running, "?number=%22%3E%3Cscript%3Ealert(3)%3C/script%3E")
        assert "<script" not in html
        assert "&quot;&gt;&lt;script&gt;" in html


def test_the_page_needs_nothing_else_and_may_do_nothing_else():
    with sandbox() as running:
        answer = running.get(PATH, BROWSER)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
        html = answer.body.decode()
        assert "No number was written to yet." in html
        for outside in ("src=", "<link", "<script", "@import", "url("):
            assert outside not in html
        assert 'name="viewport"' in html
        assert "prefers-color-scheme:dark" in html


def test_newest_phones_first_and_a_phone_moves_up():
    with sandbox() as running:
        for number in ("447946000001", "447946000002", "447946000003", "447946000001"):
            running.send(number)
        assert numbers(page(running)) == ["+447946000001", "+447946000003", "+447946000002"]


def test_two_hundred_on_a_page_and_pages_of_them():
    with sandbox() as running:
        running.send([f"4479460{n:05}" for n in range(450)])
        first, second, third = (page(running, f"?page={n}") for n in (1, 2, 3))
        assert [len(numbers(one)) for one in (first, second, third)] == [200, 200, 50]
        assert numbers(first)[0] == "+447946000449"
        assert numbers(third)[-1] == "+447946000000"
        assert len({*numbers(first), *numbers(second), *numbers(third)}) == 450
        assert ("Newer phones" in first, "Older phones" in first) == (False, True)
        assert ("Newer phones" in second, "Older phones" in second) == (True, True)
        assert ("Newer phones" in third, "Older phones" in third) == (True, False)
        assert re.findall(r'<a href="([^"]*page=[^"]*)">', second) == ["?page=1", "?page=3"]
        assert "450 numbers were written to." in first
        assert "no phones on this page" in page(running, "?page=4")
        for odd in ("?page=0", "?page=-1", "?page=x", "?page=", "?page=1&page=1", "?page=%31"):
            assert numbers(page(running, odd)) == numbers(first)


def test_search_by_a_part_of_the_number():
    with sandbox() as running:
        running.send([f"4479460{n:05}" for n in range(450)])
        running.send("447700900123")
        assert numbers(page(running, "?number=7700900123")) == ["+447700900123"]
        assert numbers(page(running, "?number=%2B44+7700+900-123")) == ["+447700900123"]
        html = page(running, "?number=79460")
        assert len(numbers(html)) == 200
        assert 'href="?number=79460&amp;page=2"' in html
        assert len(numbers(page(running, "?number=79460&page=3"))) == 50
        assert "No number with 999999 in it" in page(running, "?number=999999")


def test_only_the_live_wall_refreshes_itself():
    with sandbox() as running:
        running.send()
        assert '<meta http-equiv="refresh" content="5">' in page(running)
        for query in ("?still=1", "?number=44", "?page=2"):
            assert "http-equiv" not in page(running, query)


def test_a_phone_shows_its_newest_five():
    with sandbox() as running:
        for number in range(8):
            running.send(text=f"Message {number}")
        html = page(running)
        assert re.findall(r"Message (\d)", html) == ["3", "4", "5", "6", "7"]
        assert "3 earlier" in html


def test_only_links_of_the_sandbox_can_be_followed():
    with sandbox() as running:
        running.send(text="See https://shop.example/o/1 now", options=LINKS)
        running.send("447946000001", text="See https://uk.wbxc.io/abcdef now")
        path = "/" + running.log("message")[0]["text"].split("/")[3].split(" ")[0]
        html = page(running)
        assert re.findall(r'<a href="(/[^"?]*)"', html) == [path]
        assert running.get(path).headers["location"] == "https://shop.example/o/1"


def test_what_became_of_a_message_stands_under_it():
    with sandbox() as running:
        running.send("447700900011")
        running.send("447946000001")
        end = time.monotonic() + 60
        while "Failed" not in (html := page(running)) or ">Delivered<" not in html:
            assert time.monotonic() < end, html
            time.sleep(0.02)
        delivered, failed = html.split("<li>")[1:]
        assert '<span class="good">Delivered</span> 1 part</p>' in delivered
        assert '<span class="bad">Failed</span> 1 part · frequency-cap</p>' in failed
        assert '<article class="lost">' in failed
        assert "lost" not in delivered
