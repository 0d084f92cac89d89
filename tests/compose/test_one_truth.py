"""For any draft and audience: what the compose page counts, what the plan counts, what is created and what the provider reads agree."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.one_truth import DraftAtTheDoors, typed_drafts


@pytest.fixture
def doors(db):
    return DraftAtTheDoors()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=typed_drafts)
def test_page_plan_messages_and_bodies_agree_row_by_row(doors, typed):
    assert doors.differences(typed) == []
