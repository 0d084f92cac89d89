"""How a person wants to be told of each kind of notice, and at which hour of their day the daily mail comes."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import User
from sms.models import NOTICE_RULES, NoticeChoices, NoticeKind, NoticeWay

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

GROUPS: tuple[tuple["StrOrPromise", tuple[NoticeKind, ...]], ...] = (
    (
        gettext_lazy("Your sends"),
        (
            NoticeKind.SEND_DONE,
            NoticeKind.SEND_HELD,
            NoticeKind.RECURRING,
            NoticeKind.SEND_REJECTED,
            NoticeKind.APPROVAL_ANSWERED,
        ),
    ),
    (gettext_lazy("What waits for you"), (NoticeKind.APPROVAL_ASKED, NoticeKind.MENTION, NoticeKind.REPLY)),
    (
        gettext_lazy("What you look after as an admin"),
        (
            NoticeKind.RECEIPTS_MISSING,
            NoticeKind.DOMAIN,
            NoticeKind.CALLBACKS_OFF,
            NoticeKind.KEY_EXPIRES,
            NoticeKind.SPEND_CAP,
            NoticeKind.CHANGE_WAITS,
            NoticeKind.AUDIT_RED,
        ),
    ),
)


class NoticeForm(forms.Form):
    """A field for each kind that the person can be told of today; choices for others stay as they are."""

    digest_hour = forms.TypedChoiceField(
        label=gettext_lazy("Daily e-mail at"),
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        help_text=gettext_lazy("In your time zone. There is none on a day without news."),
    )

    def __init__(self, *args: Any, person: User, choices: NoticeChoices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices
        self.initial["digest_hour"] = choices.digest_hour
        held = set(person.memberships.values_list("role", flat=True))
        self.kinds = [
            kind
            for kind, rule in NOTICE_RULES.items()
            if person.is_superuser or not rule.roles or held & set(rule.roles)
        ]
        for kind in self.kinds:
            fixed = NOTICE_RULES[kind].fixed
            self.fields[kind.value] = forms.ChoiceField(
                label=kind.label,
                choices=NoticeWay.choices,
                initial=choices.way_of(kind).value,
                disabled=fixed,
                help_text=_("Every admin is told at once. It cannot be turned off.") if fixed else "",
            )

    @property
    def groups(self) -> "list[tuple[StrOrPromise, list[forms.BoundField]]]":
        rows = [
            (words, [self[kind.value] for kind in kinds if kind in self.kinds]) for words, kinds in GROUPS
        ]
        return [(words, fields) for words, fields in rows if fields]

    @property
    def ways(self) -> dict[str, str]:
        """What differs from the usual way, of every kind."""
        chosen = self.choices.ways | {kind.value: self.cleaned_data[kind.value] for kind in self.kinds}
        return {kind: way for kind, way in chosen.items() if way != NOTICE_RULES[NoticeKind(kind)].usual}
