"""What may be a short-link domain, and the sentence for what may not."""

import pytest

from sms.catalogue.domains.name import BadName, host_name

OWN, TARGETS = ["desk.example.com"], ["star-1656037958.eu-west-2.elb.amazonaws.com", "52.138.107.55"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("*.example.com", "wildcard"),
        ("a_b.example.com", "underscore"),
        ("192.0.2.1", "IP address"),
        ("https://[2001:db8::1]/", "IP address"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("gо.example.com", "xn--"),  # its о is Cyrillic
        ("a\u0300\u200b..example", "a to z"),
        ("a" * 64 + ".com", "too long"),
        (".".join(["a" * 60] * 5), "too long"),
        ("desk.example.com", "desk's own"),
        ("x.imiconnect.io", "provider"),
        ("star-1656037958.eu-west-2.elb.amazonaws.com", "record points to"),
        ("bit.ly", "public link shortener"),
        ("go.bit.ly", "public link shortener"),
        ("", "no host name in it"),
        ("https://", "no host name in it"),
        ("go", "no host name"),
        ("-a.example.com", "no host name"),
        ("go.example.123", "no host name"),
        ("https://[", "no host name"),
    ],
)
def test_what_is_refused(typed, says):
    with pytest.raises(BadName, match=says):
        host_name(typed, own=OWN, targets=TARGETS)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("https://Go.Example.com/a?b", "go.example.com"),
        (" go.example.com. ", "go.example.com"),
        ("go.example.com:443", "go.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("uk.wbxc.io", "uk.wbxc.io"),  # the provider's, and every tenant's
        ("s.imiconnect.co", "s.imiconnect.co"),  # the seed's example
    ],
)
def test_what_is_taken(typed, host):
    assert host_name(typed, own=OWN, targets=TARGETS) == host
