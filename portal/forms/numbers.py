"""Whole numbers of an address or of a script's post: the key after which a list goes on, a row, a version, a revision.

They are written by our own pages. What is not understood counts as not given, so that an old or shortened address still opens a page.
"""

from collections.abc import Mapping
from typing import Any

from django import forms

LARGEST_KEY = 2**63 - 1
LARGEST_ROW = 10**9 - 1
_KEY = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_KEY)
_ROW = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_ROW)


def key_of(given: Mapping[str, Any], name: str) -> int | None:
    return _cleaned(_KEY, given.get(name))


def row_of(given: Mapping[str, Any], name: str) -> int | None:
    """A row, a version or a revision: what a column of 32 bits holds."""
    return _cleaned(_ROW, given.get(name))


def _cleaned(field: forms.IntegerField, written: Any) -> int | None:
    try:
        return field.clean(written)
    except forms.ValidationError:
        return None
