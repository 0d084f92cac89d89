"""What a list is narrowed to by its address: one way to read it, to write it again, and to keep it under a name."""

from urllib.parse import urlencode

import django_filters as filters

from portal.odd_requests import refuse_too_long

LONGEST = 100  # characters
MOST_ID = 2**63 - 1


class ListSearch(filters.FilterSet):
    """A part of an address that is not understood asks for nothing. `before` is the place in the list, and no part of the search."""

    @property
    def wanted(self) -> dict[str, object]:
        self.is_valid()  # cleans the form, which leaves out what is not understood
        for name in self.form.errors:  # but looking for less than was asked would find what was not
            refuse_too_long(name, self.form.data.get(name, ""), most=LONGEST)
        return {name: value for name, value in self.form.cleaned_data.items() if value}

    @property
    def address(self) -> str:
        return urlencode({name: value for name, value in self.wanted.items() if name != "before"})
