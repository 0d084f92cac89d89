"""Prices as a table: changed, taken out and added in place, and nothing of it where a row is wrong or the list is another one meanwhile."""

import re
from decimal import Decimal

import pytest

from portal.forms.msisdn import countries
from sms.catalogue import prices
from sms.models import AuditEvent
from tests.support.people import a_cast
from tests.support.sends import BY

pytestmark = pytest.mark.django_db
PAGE, CHANGE = "/s/shop/prices/", "/s/shop/prices/change/"
LIST = "country,sender kind,price,currency\nDE,,0.07,EUR\nGB,,0.032,GBP\nGB,short code,0.05,GBP\n"


@pytest.fixture
def cast():
    made = a_cast()
    prices.replace(made.service, prices.read(LIST), by=BY)
    return made


def typed(page) -> dict[str, str]:
    """What the table posts as it stands."""
    table = re.search(r'action="/s/shop/prices/change/".*?</form>', page.content.decode(), re.DOTALL)[0]
    fields = {
        re.search(r'name="([^"]+)"', one)[1]: (re.search(r'value="([^"]*)"', one) or ["", ""])[1]
        for one in re.findall(r"<input[^>]*>", table)
        if 'type="checkbox"' not in one
    }
    return fields | dict.fromkeys(re.findall(r'<select name="([^"]+)"', table), "")


def stored(cast) -> list[tuple]:
    return [(one.country, one.sender_kind, one.amount) for one in cast.service.prices.all()]


def test_prices_are_changed_taken_out_and_added_in_the_table(cast):
    page = cast["admin"].get(PAGE)
    assert "Germany (DE)" in page.content.decode() and "Short code" in page.content.decode()
    change = {"price-0-amount": "0.08", "price-2-DELETE": "on", "price-3-country": "FR"}
    change |= {"price-3-amount": "0.06", "price-3-currency": "eur"}
    answer = cast["admin"].post(CHANGE, typed(page) | change)
    assert answer.status_code == 302, answer.content.decode()
    assert stored(cast) == [
        ("DE", "", Decimal("0.08")),
        ("FR", "", Decimal("0.06")),
        ("GB", "", Decimal("0.032")),
    ]
    assert AuditEvent.objects.filter(act="prices.replaced").count() == 2
    assert cast["admin"].post(CHANGE, typed(cast["admin"].get(PAGE))).status_code == 302, "as it stands"
    assert len(stored(cast)) == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"price-0-amount": "-1"}, "greater than or equal to 0"),
        ({"price-0-amount": "0.12345678"}, "no more than 6 decimal places"),
        ({"price-1-currency": "pounds"}, "Write its three letters"),
        ({"price-3-amount": "0.1", "price-3-currency": "EUR"}, "This field is required"),
        (
            {"price-3-country": "DE", "price-3-amount": "0.1", "price-3-currency": "EUR"},
            "has a price already",
        ),
        ({"price-0-country": "XX"}, "Select a valid choice"),
        ({"seen": "other"}, "The prices were changed since you opened this page"),
    ],
)
def test_a_wrong_row_is_said_beside_it_and_nothing_is_saved(cast, change, says):
    before = stored(cast)
    answer = cast["admin"].post(CHANGE, typed(cast["admin"].get(PAGE)) | change)
    assert answer.status_code == 422 and says in answer.content.decode()
    assert stored(cast) == before


def test_those_who_do_not_configure_read_them_and_a_long_list_is_changed_as_csv(cast):
    assert CHANGE not in cast["composer"].get(PAGE).content.decode()
    assert cast["composer"].post(CHANGE, {}).status_code == 403
    kinds = ("", "short code", "long code", "alphanumeric")
    some = [code for code, _ in countries()][:50]
    lines = [f"{code},{kind},0.05,EUR" for code in some for kind in kinds]
    prices.replace(cast.service, prices.read("\n".join([LIST.splitlines()[0], *lines])), by=BY)
    page = cast["admin"].get(PAGE).content.decode()
    assert CHANGE not in page and "Change the list" in page
    assert cast["admin"].post(CHANGE, {}).status_code == 302
