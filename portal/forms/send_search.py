"""What the list of sends is narrowed to."""

import django_filters as filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from portal.forms.list_search import LONGEST, MOST_ID, ListSearch
from sms.compose import labels
from sms.models import Send, ShownState

TESTS = (
    ("without", gettext_lazy("Without any tests")),
    ("only", gettext_lazy("Only tests of drafts")),
    ("mode", gettext_lazy("Only test mode")),
    ("all", gettext_lazy("Test mode too")),
)
ANSWERS = (("with", gettext_lazy("Answers too")), ("only", gettext_lazy("Only answers")))
WITH_TEST_MODE = ("mode", "all")


class SendSearch(ListSearch):
    """By name or words of the text, state, label, sender (its id), maker (`user:<id>` or `key:<name of an API key>`) and whether it is a
    test; `before` is the place in the list. What test keys made, and answers to replies, are left out unless they are asked for: programs
    and keywords may make thousands in an hour.
    """

    q = filters.CharFilter(method="filter_words", max_length=LONGEST)
    state = filters.ChoiceFilter(choices=ShownState.choices, method="filter_state")
    label = filters.CharFilter(method="filter_label", max_length=LONGEST)
    sender = filters.NumberFilter("sender", min_value=1, max_value=MOST_ID)
    by = filters.CharFilter(method="filter_maker", max_length=LONGEST)
    tests = filters.ChoiceFilter(choices=TESTS, method="filter_tests")
    answers = filters.ChoiceFilter(choices=ANSWERS, method="filter_answers")
    before = filters.NumberFilter("pk", "lt", min_value=1)

    class Meta:
        model = Send
        fields = ()

    def filter_words(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        """Texts of programs are for one person each, so they are not searched."""
        return rows.filter(Q(name__icontains=value) | Q(text__icontains=value, partner=""))

    def filter_state(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        return rows.filter(ShownState(value).rows)

    def filter_label(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        return labels.having(rows, value)

    def filter_maker(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        kind, _, who = value.partition(":")
        if kind == "key":
            return rows.filter(partner=who)
        if kind == "user":
            known = who.isascii() and who.isdecimal() and len(who) < 18
            return rows.filter(created_by=int(who)) if known else rows.none()
        return rows

    def filter_tests(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        if value in WITH_TEST_MODE:
            return rows.filter(simulated=True) if value == "mode" else rows
        return rows.filter(test=value == "only")

    def filter_answers(self, rows: "QuerySet[Send]", name: str, value: str) -> "QuerySet[Send]":
        return rows.filter(answering__isnull=False) if value == "only" else rows

    def filter_queryset(self, queryset: "QuerySet[Send]") -> "QuerySet[Send]":
        rows = super().filter_queryset(queryset)
        asked = self.form.cleaned_data
        if asked.get("tests") not in WITH_TEST_MODE:
            rows = rows.filter(simulated=False)
        return rows if asked.get("answers") else rows.filter(answering__isnull=True)
