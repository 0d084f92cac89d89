"""Indexes: what none of them does."""

from django.apps import apps


def test_no_index_descends_by_id():
    """Ids grow: at the low end of an index PostgreSQL leaves pages half full. One that ascends is read backwards as well."""
    ours = [model for label in ("sms", "portal") for model in apps.get_app_config(label).get_models()]
    indexes = [index for model in ours for index in model._meta.indexes]
    assert len(indexes) > 50
    assert [index.name for index in indexes if "-id" in index.fields] == []
