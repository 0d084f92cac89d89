"""No callback reaches anything but the public internet: by how its address is written, by where its name leads, at every connection."""

import socket
import threading

import dns.message
import dns.resolver
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.callbacks.address import AddressPolicy, BadAddress, read
from sms.callbacks.post import CallbackRequest, ReceiverConnection
from sms.callbacks.resolve import Forbidden, dial, plainly
from sms.models.callback import new_secret
from sms.values.public_address import refusal
from tests.callbacks.evil import ADDRESSES, PUBLIC, URLS
from tests.support.callback_receiver import receiving
from tests.support.callbacks import LOOPBACK

STRICT = AddressPolicy(own_hosts=frozenset({"desk.example.com"}))


def letter(url: str) -> CallbackRequest:
    return CallbackRequest("evt_1", url, b"{}", (new_secret(),))


class Nobody:
    """A connection that must never be made."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return ["127.0.0.1"]

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        raise AssertionError(f"It connected to {address}.")


def test_the_corpus_is_large_enough():
    assert len(set(URLS)) >= 80


@pytest.mark.parametrize("url", URLS)
def test_an_evil_address_is_refused_or_leads_nowhere(url):
    nobody = Nobody()
    line = ReceiverConnection(STRICT, connect=dial(STRICT, resolve=nobody.resolve, connect=nobody.connect))
    reply = line.post(letter(url))
    assert reply.status == 0 and reply.error
    assert not reply.ok


@pytest.mark.parametrize("url", URLS)
def test_an_evil_address_is_refused_before_any_name_is_looked_up(url):
    with pytest.raises(BadAddress):
        read(url, STRICT)


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example.com",
        "https://partner.example.com/hook?a=1&b=%20c",
        "https://PARTNER.example.com:8443/Hook",
        "https://xn--bcher-kva.example/",
        "https://a-b.c1.co/~x/(y);z=1",
        "https://partner.example.com?x=1",
    ],
)
def test_an_ordinary_address_is_taken(url):
    found = read(url, STRICT)
    assert found.host == found.host.lower() and found.target.startswith("/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_not_public_is_refused(address):
    assert refusal(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not(address):
    assert refusal(address) == ""


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="100.64.0.0/10"))
def test_a_private_address_is_refused_however_it_is_wrapped(address):
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    for wrapped in (
        f"{address}",
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{address}",
        f"64:ff9b:1::{address}",
        f"2002:{high:x}:{low:x}::1",
        f"::ffff:0:{address}",
    ):
        assert refusal(wrapped), wrapped


def test_one_private_address_among_public_ones_spoils_the_name():
    nobody = Nobody()
    to = dial(STRICT, resolve=lambda *_: ["93.184.215.14", "10.0.0.1"], connect=nobody.connect)
    with pytest.raises(Forbidden):
        to("partner.example.com", 443, 1.0)


def test_the_policy_for_demos_lets_this_machine_in_and_nothing_else():
    assert read("http://127.0.0.1:8001/x", LOOPBACK).port == 8001
    assert read("http://localhost/x", LOOPBACK).port == 80
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://partner.example.com/"):
        with pytest.raises(BadAddress):
            read(url, LOOPBACK)
    assert refusal("10.0.0.1", loopback=True) and not refusal("127.0.0.1", loopback=True)


class Rebinding:
    """A name server whose first answer is public and whose later ones are this machine."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(data)
            answer = dns.message.make_response(query)
            address = "127.0.0.1" if self.answers else "93.184.215.14"
            self.answers.append(address)
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 0, "IN", "A", address))
            self._socket.sendto(answer.to_wire(), sender)

    def close(self) -> None:
        self._socket.close()

    def resolve(self, host: str, port: int) -> list[str]:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        return [str(record) for record in resolver.resolve(host, "A", lifetime=2)]


def test_a_name_that_changes_after_it_was_judged_finds_nothing_to_change():
    """The connection goes to the very address that was judged; the next connection is judged again."""
    server, went_to = Rebinding(), []
    with receiving() as partner:
        port = int(partner.url.rpartition(":")[2])

        def connect(address: str, _: int, seconds: float) -> socket.socket:
            went_to.append(address)
            return plainly("127.0.0.1", port, seconds)  # stands in for that public address

        to = dial(STRICT, resolve=server.resolve, connect=connect)
        try:
            to("rebinding.example.com", 443, 2.0).close()
            assert (went_to, server.answers) == (["93.184.215.14"], ["93.184.215.14"])
            for _ in range(3):
                with pytest.raises(Forbidden):
                    to("rebinding.example.com", 443, 2.0)
        finally:
            server.close()
    assert went_to == ["93.184.215.14"]
    assert server.answers[1:] == ["127.0.0.1"] * 3
