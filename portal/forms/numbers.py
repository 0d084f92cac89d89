"""Whole numbers of an address or of a script's post: the key after which a list goes on, a row, a version, a revision.

They are written by our own pages. What is not understood counts as not given, so that an old or shortened address still opens a page.
"""

from collections.abc import Mapping
from typing import Any

from django import forms


def key_of(given: Mapping[str, Any], name: str, *, most: int = 2**63 - 1) -> int | None:
    try:
        return forms.IntegerField(required=False, min_value=0, max_value=most).clean(given.get(name))
    except forms.ValidationError:
        return None


def row_of(given: Mapping[str, Any], name: str) -> int | None:
    """A row, a version or a revision: what a column of 32 bits holds."""
    return key_of(given, name, most=10**9 - 1)
