"""Regions against the seed's table."""

import pytest

from sms.webex import regions

SEED = {
    "AWS Canada": "star-1176184099.ca-central-1.elb.amazonaws.com",
    "AWS Ireland": "star-1747495833.eu-west-1.elb.amazonaws.com",
    "AWS London": "star-1656037958.eu-west-2.elb.amazonaws.com",
    "AWS Oregon": "star-1571873968.us-west-2.elb.amazonaws.com",
    "Azure (US)": "52.138.107.55",
    "AWS Mumbai": "star-64546195.ap-south-1.elb.amazonaws.com",
    "AWS Sydney": "star-131871454.ap-southeast-2.elb.amazonaws.com",
    "AWS Singapore": "star-581943434.ap-southeast-1.elb.amazonaws.com",
}


def test_regions_are_the_eight_of_the_seed_with_their_targets():
    assert {region.name: region.cname or region.a_record for region in regions.REGIONS} == SEED


def test_only_azure_has_an_address_instead_of_a_cname():
    assert [region.key for region in regions.REGIONS if region.a_record] == ["us1"]
    assert all(bool(region.cname) != bool(region.a_record) for region in regions.REGIONS)


@pytest.mark.parametrize("key", ["ca", "eu", "uk", "us", "us1", "in", "au"])
def test_documented_hosts_follow_their_label(key):
    region = regions.region(key)
    assert regions.base_url(key) == region.base_url == f"https://api.{key}.webexconnect.io"
    assert region.contact_policy_host == f"contactpolicy.{key}.webexconnect.io"
    assert region.host_documented


def test_host_of_singapore_is_marked_as_a_guess():
    assert [region.key for region in regions.REGIONS if not region.host_documented] == ["sg"]


def test_legacy_hosts_are_those_of_the_reference():
    """The trap: imiconnect.eu was London, and Ireland was imiconnect.io."""
    assert {region.key: region.legacy_host for region in regions.REGIONS} == {
        "ca": "api.imiconnect.ca",
        "eu": "api.imiconnect.io",
        "uk": "api.imiconnect.eu",
        "us": "api-us.imiconnect.io",
        "us1": "api.imiconnect.us",
        "in": "api.imiconnect.in",
        "au": "",
        "sg": "",
    }
    assert regions.region("us").legacy_contact_policy_host == "contactpolicy-us.imiconnect.io"


def test_short_domains_are_listed_for_all_but_azure():
    assert [region.key for region in regions.REGIONS if not region.short_domain] == ["us1"]
    assert regions.region("uk").short_domain == "uk.wbxc.io"


def test_unknown_region_names_those_that_exist():
    with pytest.raises(KeyError, match="us1"):
        regions.base_url("ie")
