"""Windows of ids over tables with gaps of any size."""

from itertools import chain

import pytest
from django.contrib.auth.models import Group
from hypothesis import given
from hypothesis import strategies as st

from sms.models.sql import id_windows

pytestmark = pytest.mark.django_db
IDS = st.sets(st.integers(1, 40) | st.integers(2**30, 2**30 + 40), max_size=12)


@given(ids=IDS, width=st.integers(1, 30), edge=st.none() | st.integers(1, 2**31 - 1))
def test_each_id_lies_in_one_window_and_none_is_empty(ids, width, edge):
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(pk=pk, name=str(pk)) for pk in ids)
    up = list(id_windows.ascending(Group.objects.all(), width=width, start=edge))
    down = list(id_windows.descending(Group.objects.all(), width=width, below=edge))
    for found, wanted in (
        (up, sorted(pk for pk in ids if edge is None or pk >= edge)),
        (down, sorted((pk for pk in ids if edge is None or pk < edge), reverse=True)),
    ):
        inside = [sorted(pk for pk in wanted if low <= pk < high) for low, high in found]
        assert all(inside)
        assert sorted(chain.from_iterable(inside)) == sorted(wanted)
        assert found == sorted(found, reverse=found is down)
