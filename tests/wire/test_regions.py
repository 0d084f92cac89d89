"""The regions of a new installation against the seed's table."""

import pytest

from sms.models import Region

pytestmark = pytest.mark.django_db

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
    assert {region.name: region.dns_target for region in Region.objects.all()} == SEED


def test_only_azure_has_an_address_instead_of_a_cname():
    assert [region.key for region in Region.objects.all() if region.dns_kind == "A"] == ["us1"]


def test_hosts_follow_their_label_and_that_of_singapore_is_marked_as_a_guess():
    for region in Region.objects.all():
        assert region.host == f"api.{region.key}.webexconnect.io"
        assert region.host_documented == (region.key != "sg")
