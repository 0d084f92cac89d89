"""The provider's older hosts and the addresses that it calls from, beside the regions of a new installation."""

import ipaddress

import pytest

from sms.models import Region
from sms.values.public_address import refusal
from sms.webex.hosts import EGRESS, LEGACY, api_hosts_for, is_documented, region_of


@pytest.mark.django_db
def test_every_region_has_the_addresses_it_calls_from():
    assert set(EGRESS) == set(Region.objects.values_list("key", flat=True))
    every = [address for addresses in EGRESS.values() for address in addresses]
    assert len(every) == len(set(every)) == 21
    for address in every:
        assert ipaddress.ip_address(address).version == 4 and not refusal(address)


@pytest.mark.django_db
def test_older_hosts_name_regions_that_there_are():
    assert len(LEGACY) == 7
    assert {one.region for one in LEGACY} - {""} <= set(Region.objects.values_list("key", flat=True))


@pytest.mark.parametrize(
    ("url", "region", "documented"),
    [
        ("https://api.imiconnect.eu", "uk", True),  # not Ireland, whose label is eu
        ("https://api.eu.webexconnect.io", "eu", True),
        ("https://api.us1.webexconnect.io", "us1", True),
        ("https://api-us.imiconnect.io", "us", True),
        ("https://api.imiconnect.io", "", True),  # the documents say EMEA
        ("https://webexconnect.io.evil.example", "", False),
        ("https://evilwebexconnect.io", "", False),
        ("https://gateway.example", "", False),
        ("", "", False),
    ],
)
def test_an_address_tells_its_region_as_far_as_the_documents_do(url, region, documented):
    assert (region_of(url), is_documented(url)) == (region, documented)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://acme.imiconnect.eu", ("api.imiconnect.eu",)),
        ("https://imiconnect.us", ("api.imiconnect.us",)),
        ("https://acme.imiconnect.io", ("api.imiconnect.io", "api-us.imiconnect.io")),
        ("https://acme.uk.webexconnect.io", ("api.uk.webexconnect.io",)),
        ("https://uk.webexconnect.io", ("api.uk.webexconnect.io",)),
        ("https://api.uk.webexconnect.io", ()),
        ("https://api.zz.webexconnect.io", ()),
        ("https://acme.zz.webexconnect.io", ()),  # a region that no document names
        ("https://api-us.imiconnect.io", ()),
        ("https://acme.imiconnect.eu.evil.example", ()),
        ("https://gateway.example", ()),
        ("", ()),
    ],
)
def test_a_sign_in_address_leads_to_the_address_of_its_api(url, hosts):
    assert api_hosts_for(url) == hosts
