"""Rows of the request: links, and the receipts of their clicks."""

from sms.webex.limits import LONGEST_SMARTLINK
from tests.contract.asked import DOMAIN, LEFT_OUT, PARAMETERS, SMART, Asked, linked
from tests.contract.rows import row
from tests.support.link_fields import all_six

LINKS = (
    row(
        "`options.shortenLinks`",
        'Compose, "Short-link domain"',
        "a boolean",
        "rewrites https links to `<domain>/<6 characters>` and redirects them for 180 days",
        PARAMETERS,
        Asked(linked(shortenLinks="true"), sent={"options": all_six(shortenLinks=True, domain=DOMAIN)}),
        Asked(linked(shortenLinks="maybe"), "7004 shortenLinks", "7004 shortenLinks"),
    ),
    row(
        "`options.trackClicks`",
        'Compose, "Clicks"',
        "a boolean",
        "sends CLICKED when a link is opened",
        PARAMETERS,
        Asked(
            linked(shortenLinks=True, trackClicks=True),
            sent={"options": all_six(shortenLinks=True, trackClicks=True, domain=DOMAIN)},
        ),
        Asked(linked(trackClicks=3), "7004 trackClicks", "7004 trackClicks"),
    ),
    row(
        "`options.domain`",
        'Compose, "Short-link domain"; the list in the admin, Short-link domains',
        "`https://` and a host, whenever there are options",
        "7003 if missing, by switch 7004; by another switch 7004 if it is not the tenant's",
        "seed, note at domain",
        Asked(
            linked(shortenLinks=True, domain="uk.wbxc.io"),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN)},
        ),
        Asked({"options": {"shortenLinks": True}}, "7003 options.domain", "7003 options.domain"),
        Asked(
            {"options": {"shortenLinks": True}},
            "7003 options.domain",
            "7004 options.domain",
            switches={"no_domain": "7004"},
        ),
        Asked(linked(shortenLinks=True, domain="https://else.example"), "7004 options.domain"),
    ),
    row(
        "`options.tag1`",
        'Compose, "First tag"',
        "up to 50 letters, digits, `_`, `-`",
        "7004 for another form; a switch wants it",
        "later",
        Asked(
            linked(shortenLinks=True, tag1="spring"),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN, tag1="spring")},
        ),
        Asked(linked(tag1="a b"), "7004 options.tag1", "7004 options.tag1"),
        Asked(linked(tag1="x" * 51), "7004 options.tag1", "7004 options.tag1"),
    ),
    row(
        "`options.tag2`",
        'Compose, "Second tag"',
        "as `tag1`",
        "as `tag1`",
        "later",
        Asked(
            linked(shortenLinks=True, tag2="wk_12"),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN, tag2="wk_12")},
        ),
        Asked(linked(tag2="é"), "7004 options.tag2", "7004 options.tag2"),
    ),
    row(
        "`options.allowFallbackURL`",
        'Compose, "Send the long link if shortening fails"',
        "the text `true` or `false`, the one flag documented as text",
        "takes text and boolean; lets the long link out when the shortener is down",
        "later",
        Asked(
            linked(shortenLinks=True, allowFallbackURL=True),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN, allowFallbackURL="true")},
        ),
        Asked(
            linked(shortenLinks=True, allowFallbackURL="false"),
            sent={"options": all_six(shortenLinks=True, domain=DOMAIN, allowFallbackURL="false")},
        ),
    ),
    row(
        "`smartlinks[].smartlinkId`",
        "decided from the text",
        "one for each `{{smartlink_<id>}}` in the text, and no other",
        "puts a link in for the token; 7004 for an id it does not know, or that the text does not mention",
        "seed, Sending SMS with Smartlinks",
        Asked(
            {"smartlinks": [{"smartlinkId": 4371, "validity": 1}], "content": SMART},
            sent={"smartlinks": [{"smartlinkId": 4371, "validity": 1}]},
        ),
        Asked(
            {"smartlinks": [{"smartlinkId": 4371, "validity": 1}]},
            "201",
            "7004 smartlinks",
            sent={"smartlinks": LEFT_OUT},
        ),
        Asked(
            {"content": SMART}, "7004 smartlinks", "7004 smartlinks", switches={"unlisted_smartlink": "7004"}
        ),
        Asked(
            {"smartlinks": [{"smartlinkId": "x", "validity": 1}], "content": SMART},
            "7004 smartlinks.smartlinkId",
            "7004 smartlinks.smartlinkId",
        ),
    ),
    row(
        "`smartlinks[].validity`",
        'Compose, "Smartlinks are valid for, in minutes"; the list in the admin, Smartlinks',
        f"minutes, 1 or more; from pages up to {LONGEST_SMARTLINK}",
        "ends the link after so many minutes, by switch seconds",
        "seed, Sending SMS with Smartlinks; the unit: sibling page",
        Asked(
            {"smartlinks": [{"smartlinkId": 4371, "validity": "1440"}], "content": SMART},
            sent={"smartlinks": [{"smartlinkId": 4371, "validity": 1440}]},
        ),
        Asked(
            {"smartlinks": [{"smartlinkId": 4371, "validity": 0}], "content": SMART},
            "7004 smartlinks.validity",
            "7004 smartlinks.validity",
        ),
    ),
)
