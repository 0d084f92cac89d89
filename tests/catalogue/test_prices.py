"""Prices: a list is read whole or refused with every mistake by its row, and only an admin replaces it."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sms.catalogue import prices
from sms.models import AuditEvent, Price
from tests.support.people import a_cast
from tests.support.sends import BY, a_service

HEAD = "country,sender kind,price,currency\n"


def test_a_list_is_read_whatever_separates_it():
    wanted = [
        prices.PriceRow("GB", "", Decimal("0.045"), "EUR"),
        prices.PriceRow("US", "long_code", Decimal(1), "USD"),
    ]
    assert prices.read(HEAD + "gb,,0.045,eur\n\nUS,Long code,1,USD\n") == wanted
    assert (
        prices.read("\ufeffCountry;Sender_Kind;Price;Currency\r\nGB;any;0.045;EUR\r\nUS;long_code;1;usd")
        == wanted
    )
    assert prices.read("currency\tprice\tcountry\nEUR\t0.045\tGB") == wanted[:1]
    assert prices.read("") == prices.read(" \n") == prices.read(HEAD) == []


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("GB,,0.05,EUR", "Row 1: the first line must be: country,sender kind,price,currency."),
        (HEAD + "GB,,0.05,EUR\nXX,,0.05,EUR", "Row 3, country: “XX”"),
        (HEAD + "GB,pigeon,0.05,EUR", "Row 2, sender kind: “pigeon”"),
        (HEAD + "GB,,-1,EUR", "Row 2, price: “-1”"),
        (HEAD + "GB,,NaN,EUR", "Row 2, price"),
        (HEAD + "GB,,0.0000001,EUR", "Row 2, price"),
        (HEAD + "GB,,0,05,EUR", "Row 2: there are more cells than headings"),
        (HEAD + "GB,,0.05,euro", "Row 2, currency: “euro”"),
        (HEAD + "GB,,0.05", "Row 2, currency"),
        (
            HEAD + "GB,,0.05,EUR\ngb,any,0.06,EUR",
            "Row 3: United Kingdom (GB) with this kind of sender is in row 2 already",
        ),
        (HEAD + 'GB,,"0.05,EUR', "not read as a CSV"),
    ],
)
def test_a_mistake_names_its_row_and_what_stands_there(written, says):
    with pytest.raises(prices.BadPrices) as refused:
        prices.read(written)
    assert says in refused.value.mistakes[0]


def test_every_mistake_is_reported_at_once():
    with pytest.raises(prices.BadPrices) as refused:
        prices.read(HEAD + "ZZ,,0.05,EUR\nGB,,free,EUR\n")
    assert [one.split(",")[0] for one in refused.value.mistakes] == ["Row 2", "Row 3"]


@pytest.mark.django_db
def test_what_is_written_out_is_read_back_the_same():
    service = a_service()
    rows = prices.read(HEAD + "GB,,0.045,EUR\nGB,short code,0.1,EUR\nUS,,12,USD\n")
    prices.replace(service, rows, by=BY)
    assert prices.read(prices.as_csv(service)) == rows
    prices.replace(service, [], by=BY)
    assert prices.as_csv(service) == "" and not Price.objects.exists()


@pytest.mark.django_db
def test_an_admin_replaces_the_list_and_a_mistake_loses_nothing():
    cast = a_cast()
    page = cast["admin"].get("/s/shop/prices/")
    assert "No prices entered" in page.content.decode()
    cast["admin"].post("/s/shop/prices/replace/", {"written": HEAD + "GB,,0.045,EUR"})
    assert Price.objects.get().amount == Decimal("0.045")
    bad = cast["admin"].post("/s/shop/prices/replace/", {"written": HEAD + "GB,,4 cents,EUR"})
    assert bad.status_code == 422
    assert "Row 2, price: “4 cents”" in bad.content.decode() and "GB,,4 cents,EUR" in bad.content.decode()
    assert Price.objects.get().amount == Decimal("0.045")
    file = SimpleUploadedFile("p.csv", (HEAD + "IE,,0.07,EUR\n").encode())
    cast["admin"].post("/s/shop/prices/replace/", {"written": "", "file": file})
    assert Price.objects.get().country == "IE"
    latin = SimpleUploadedFile("p.csv", "country\xe9".encode("latin-1"))
    assert "not UTF-8" in cast["admin"].post("/s/shop/prices/replace/", {"file": latin}).content.decode()
    assert AuditEvent.objects.filter(act="prices.replaced").count() == 2
    taken = b"".join(cast["auditor"].get("/s/shop/prices/prices.csv")).decode()
    assert prices.read(taken) == [prices.PriceRow("IE", "", Decimal("0.07"), "EUR")]
    assert cast["composer"].post("/s/shop/prices/replace/", {"written": ""}).status_code == 403
