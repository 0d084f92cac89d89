"""The webhook's signature: the reference's vectors, prefixes, rotation, and what is refused."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sms.webex.signature import sign, verify

SECRET = "sim-hub-secret-01"
BODY = (
    b'{"deliveryInfoNotification":{"deliveryInfo":{"timeStamp":"2026-03-02T09:15:07.412Z","Description":"Delivered","code":"7500",'
    b'"messageCount":"1","deliveryChannel":"SMS","additionalInfo":"","destination":"447700900123","destinationType":"msisdn",'
    b'"deliveryStatus":"Delivered"},"carrier":"","subtid":"","transid":"5b0c9a52-7c1e-4f3a-9d55-0f4c2b7e8a10",'
    b'"callbackData":"order=981","correlationid":"c-0001"}}'
)
SHA256 = "ea9dea73824e9a1f85fbcc3f6fb87ca4a1a367e8f2d6aefacd4f530494886eee"
SHA512 = (
    "00a8dac491d4b5d6a848a2990e67d015b265555a872befff7a648a9abb43c67b"
    "b228460a2b9f327b16c6f47e34ae3b818dda284f9ec258e5ba924b48553bef33"
)


@pytest.mark.parametrize(("algorithm", "digest"), [("sha256", SHA256), ("sha512", SHA512)])
def test_signature_equals_the_test_vector_with_and_without_prefix(algorithm, digest):
    assert sign(BODY, secret=SECRET, algorithm=algorithm) == f"{algorithm}={digest}"
    for header in (digest, digest.upper(), f" {algorithm}={digest}\n", f"{algorithm.upper()}={digest}"):
        assert verify(BODY, header, secrets=[SECRET], algorithm=algorithm)


def test_either_secret_is_good_during_rotation_and_no_other():
    for order in ([SECRET, "new"], ["new", SECRET]):
        assert verify(BODY, SHA256, secrets=order, algorithm="sha256")
    assert not verify(BODY, SHA256, secrets=["new", "newer"], algorithm="sha256")


def test_no_secret_verifies_nothing():
    assert not verify(BODY, SHA256, secrets=[], algorithm="sha256")
    assert not verify(BODY, hmac.digest(b"", BODY, "sha256").hex(), secrets=[""], algorithm="sha256")


def test_signature_is_over_the_raw_bytes_and_white_space_around_them_may_be_missing_from_it():
    assert verify(BODY + b"\n", SHA256, secrets=[SECRET])
    assert verify(BODY + b"\n", sign(BODY + b"\n", secret=SECRET), secrets=[SECRET])


def test_signature_of_the_compact_form_is_good_for_the_same_json_with_spaces():
    spaced = json.dumps(json.loads(BODY), indent=1).encode()
    for algorithm, digest in (("sha256", SHA256), ("sha512", SHA512)):
        assert verify(spaced, digest, secrets=["old", SECRET], algorithm=algorithm)
    assert not verify(spaced.replace(b"7500", b"7501"), SHA256, secrets=[SECRET])
    assert not verify(spaced[:-1], SHA256, secrets=[SECRET])
    german = {"message": "Grüße"}
    compact = json.dumps(german, separators=(",", ":"), ensure_ascii=False).encode()
    assert verify(json.dumps(german).encode(), sign(compact, secret=SECRET), secrets=[SECRET])
    half = b'{"message": "\\ud800"}'
    assert verify(half, sign(half.replace(b" ", b""), secret=SECRET), secrets=[SECRET])


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha256=",
        SHA256[:-1],
        SHA256 + "0",
        SHA256[:40],
        f"sha1={hmac.digest(SECRET.encode(), BODY, hashlib.sha1).hex()}",
        hmac.digest(SECRET.encode(), BODY, hashlib.sha1).hex(),
        f"sha1={SHA256}",
        f"sha512={SHA256}",
        f"sha256={SHA512}",
        SHA512,
        "é" * 64,
        f"sha256=sha256={SHA256}",
        SHA256[:-1] + "g",
        "٠" * 64,
    ],
)
def test_other_signature_is_refused(header):
    assert not verify(BODY, header, secrets=[SECRET], algorithm="sha256")


@given(
    raw=st.binary(max_size=60),
    header=st.text(max_size=80),
    secret=st.text(st.characters(codec="utf-8"), max_size=8),
)
def test_any_header_is_judged_without_an_error(raw, header, secret):
    assert verify(raw, header, secrets=[secret]) is False


@given(
    raw=st.binary(max_size=60),
    secret=st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    flip=st.integers(0, 63),
)
def test_own_signature_verifies_and_a_changed_one_does_not(raw, secret, flip):
    good = sign(raw, secret=secret)
    assert verify(raw, good, secrets=["other", secret])
    place = len("sha256=") + flip
    bad = good[:place] + ("1" if good[place] == "0" else "0") + good[place + 1 :]
    assert not verify(raw, bad, secrets=[secret])
