"""What `docs/partners/versioning.md` promises of an operation that will go: headers, a mark in the document, and a year."""

from datetime import date

import pytest
from drf_spectacular.generators import SchemaGenerator

from sms.api.v1 import deprecations
from sms.api.v1.deprecations import Deprecation
from tests.environment import ROOT
from tests.support.partners import a_partner

GOING = Deprecation(date(2027, 1, 15), date(2028, 1, 15))


@pytest.mark.django_db
def test_every_answer_of_an_operation_that_will_go_says_so(monkeypatch):
    monkeypatch.setitem(deprecations.DEPRECATED, "GET /api/v1/senders/{id}", GOING)
    service, partner = a_partner("catalogue")
    for address in (f"senders/{service.senders.get().pk}", "senders/999999"):
        answer = partner.get(address)
        assert answer["Deprecation"] == "@1799971200"
        assert answer["Sunset"] == "Sat, 15 Jan 2028 00:00:00 GMT"
        assert answer["Link"] == '</api/docs/changelog/>; rel="deprecation"; type="text/html"'
    assert "Deprecation" not in partner.get("senders")
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    marked = [
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and operation.get("deprecated")
    ]
    assert marked == [("get", "/api/v1/senders/{id}")]


def test_nothing_goes_within_a_year_or_without_an_entry():
    with pytest.raises(ValueError, match="less than 365 days"):
        deprecations.read('["GET /api/v1/sends"]\nsince = 2027-01-15\nsunset = 2027-12-31\n')
    changes = (ROOT / "docs" / "partners" / "changelog.md").read_text("utf-8")
    assert [one for one in deprecations.DEPRECATED if f"`{one}`" not in changes] == []
