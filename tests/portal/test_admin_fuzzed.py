"""Lists of the admin with any address behind them: never a 500, and no comparison of a column that the list offers no filter for."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import models as django_models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.models import User
from sms.models import AuditEvent, Message
from tests.support.people import a_cast
from tests.support.sends import a_send

pytestmark = pytest.mark.django_db
LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LOOKUPS = [
    "",
    "exact",
    "contains",
    "startswith",
    "gt",
    "in",
    "isnull",
    "isempty",
    "regex",
    "year",
    "range",
    "0",
    "foo",
    "date",
]
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "-1",
            "x",
            "9" * 30,
            "1e400",
            "None",
            "True",
            "2026-01-01",
            "2026-99-99",
            "[",
            "{}",
            "1,2",
            "%",
        ]
    ),
    st.text(max_size=20),
)
OF_DJANGO = ["o", "p", "q", "all", "e", "_popup", "_to_field", "_changelist_filters", "_facets"]


def columns(model) -> list[str]:
    own = [field.name for field in model._meta.get_fields()]
    far = [
        f"{one.name}__{name}"
        for one in model._meta.fields
        if one.is_relation
        for name in ("pk", "name", "text", "msisdn")
    ]
    return [*own, *far]


@pytest.fixture
def clients():
    cast = a_cast(waiting=True)
    a_send(cast.service)
    User.objects.filter(pk=cast.users["approver"].pk).update(is_staff=True, is_superuser=True)
    cast.users["approver"].refresh_from_db()
    return cast["admin"], cast["approver"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_address_of_a_list_breaks(clients, data):
    model = data.draw(st.sampled_from(LISTS))
    name = st.one_of(
        st.sampled_from(OF_DJANGO),
        st.builds(
            lambda column, lookup: f"{column}__{lookup}".strip("_"),
            st.sampled_from(columns(model)),
            st.sampled_from(LOOKUPS),
        ),
        st.sampled_from(
            [str(one if isinstance(one, str) else one[0]) for one in admin.site._registry[model].list_filter]
            or ["p"]
        ).flatmap(
            lambda filtered: st.sampled_from([f"{filtered}__{lookup}".strip("_") for lookup in LOOKUPS])
        ),
    )
    asked = data.draw(st.dictionaries(name, VALUES, min_size=1, max_size=3))
    at = f"/admin/{model._meta.app_label}/{model._meta.model_name}/?{urlencode(asked, errors='replace')}"
    for client in clients:
        assert client.get(at).status_code < 500, at


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label)
def test_a_list_compares_only_what_it_offers(clients, model):
    offered = {
        str(one if isinstance(one, str) else one[0]) for one in admin.site._registry[model].list_filter
    }
    for field in model._meta.concrete_fields:
        if field.name in offered or not isinstance(
            field, (django_models.CharField, django_models.TextField, django_models.JSONField)
        ):
            continue
        for lookup in ("", "__startswith", "__contains"):
            at = f"/admin/{model._meta.app_label}/{model._meta.model_name}/?{field.name}{lookup}=1"
            assert clients[1].get(at).status_code == 400, at


def test_no_list_reveals_by_its_search():
    assert "msisdn" not in str(
        [(one.search_fields, one.ordering, one.date_hierarchy) for one in admin.site._registry.values()]
    )
    assert AuditEvent.objects.count() == Message.objects.count() == 0
