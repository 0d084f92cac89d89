"""The provider's eight regions: hosts to call and DNS targets for short-link domains. Read by the catalogue and by forms.

CNAME targets are the seed's table ("Webex Connect Region | CNAME"); hosts are reference §1.2, legacy hosts §1.3. The catalogue
copies these into editable rows, because targets change without notice.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRegion:
    """One region. Exactly one of `cname` and `a_record` is filled; a legacy host is "" where the reference names none.

    Legacy hosts still answer. Mind that the legacy `imiconnect.eu` is London while the label `eu` of today is Ireland.
    """

    key: str
    name: str
    host: str
    legacy_host: str = ""
    cname: str = ""
    a_record: str = ""
    contact_policy_host: str = ""
    legacy_contact_policy_host: str = ""
    short_domain: str = ""  # the provider's own, used where the tenant has no domain
    host_documented: bool = True

    @property
    def base_url(self) -> str:
        """Address of the API without a trailing slash; `/v2/messages` comes after it."""
        return f"https://{self.host}"


def _region(
    key: str, name: str, *, legacy: str = "", prefix: str = "", cname: str = "", a_record: str = ""
) -> ProviderRegion:
    """Fill in the hosts that follow from the label. `prefix` is `-us` where the legacy host has one."""
    return ProviderRegion(
        key=key,
        name=name,
        host=f"api.{key}.webexconnect.io",
        contact_policy_host=f"contactpolicy.{key}.webexconnect.io",
        legacy_host=f"api{prefix}.{legacy}" if legacy else "",
        legacy_contact_policy_host=f"contactpolicy{prefix}.{legacy}" if legacy else "",
        cname=cname,
        a_record=a_record,
        # The provider's list of default short domains has no row for Azure (reference §10.1).
        short_domain="" if key == "us1" else f"{key}.wbxc.io",
        # Singapore is in the CNAME table only; its API host is a guess by pattern (reference §1.2).
        host_documented=key != "sg",
    )


REGIONS: tuple[ProviderRegion, ...] = (
    _region(
        "ca", "AWS Canada", legacy="imiconnect.ca", cname="star-1176184099.ca-central-1.elb.amazonaws.com"
    ),
    _region("eu", "AWS Ireland", legacy="imiconnect.io", cname="star-1747495833.eu-west-1.elb.amazonaws.com"),
    _region("uk", "AWS London", legacy="imiconnect.eu", cname="star-1656037958.eu-west-2.elb.amazonaws.com"),
    _region(
        "us",
        "AWS Oregon",
        legacy="imiconnect.io",
        prefix="-us",
        cname="star-1571873968.us-west-2.elb.amazonaws.com",
    ),
    _region("us1", "Azure (US)", legacy="imiconnect.us", a_record="52.138.107.55"),
    _region("in", "AWS Mumbai", legacy="imiconnect.in", cname="star-64546195.ap-south-1.elb.amazonaws.com"),
    _region("au", "AWS Sydney", cname="star-131871454.ap-southeast-2.elb.amazonaws.com"),
    _region("sg", "AWS Singapore", cname="star-581943434.ap-southeast-1.elb.amazonaws.com"),
)

_BY_KEY = {region.key: region for region in REGIONS}


def region(key: str) -> ProviderRegion:
    """The region with this label (`uk`, `eu`, …). Raises KeyError with the labels that exist."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise KeyError(f"{key!r} is no region; there are {', '.join(_BY_KEY)}") from None


def base_url(key: str) -> str:
    """The API's address in a region, for example `https://api.uk.webexconnect.io`."""
    return region(key).base_url
