"""A bounded run of Schemathesis; `tests/bench/schemathesis_run.py` does 500 cases per operation."""

import pytest

from sms.models import ApiKey
from tests.api.v1.fuzzed import fuzz
from tests.support.partners import a_partner, one_of_everything


@pytest.mark.django_db
def test_what_the_document_allows_and_forbids_is_answered_as_it_says():
    service, partner = a_partner()
    ids = one_of_everything(service)
    ApiKey.objects.update(per_minute=1_000_000)
    report = fuzz(partner.token, ids=ids, cases=4)
    assert not report.failures, "\n\n".join(report.failures)
    assert (report.cases > 100, report.broke) == (True, 0)
    assert any(one.endswith(" 200") for one in report.answered)
