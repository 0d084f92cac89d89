"""What the list of drafts is narrowed to."""

import django_filters as filters
from django.db.models import Q, QuerySet

from portal.forms.list_search import LONGEST, MOST_ID, ListSearch
from sms.models import Draft


class DraftSearch(ListSearch):
    """By name or words of the text, sender (its id), and who changed it last (`user:<id>`)."""

    q = filters.CharFilter(method="filter_words", max_length=LONGEST)
    sender = filters.NumberFilter("sender", min_value=1, max_value=MOST_ID)
    by = filters.CharFilter(method="filter_person", max_length=LONGEST)

    class Meta:
        model = Draft
        fields = ()

    def filter_words(self, rows: "QuerySet[Draft]", name: str, value: str) -> "QuerySet[Draft]":
        return rows.filter(Q(name__icontains=value) | Q(text__icontains=value))

    def filter_person(self, rows: "QuerySet[Draft]", name: str, value: str) -> "QuerySet[Draft]":
        who = value.removeprefix("user:")
        known = who.isascii() and who.isdecimal() and len(who) < 18
        return rows.filter(changed_by=int(who)) if known else rows.none()
