"""A comment, and the colleague who is asked to look."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.models import User
from sms.compose.comments import LONGEST

ROWS = 3


def called(user: User) -> str:
    """`Bea Example (bea@example.com)`, or the address alone."""
    name = user.get_full_name()
    return f"{name} ({user.email})" if name else user.email


class CommentForm(forms.Form):
    """`people` are those who can open the page, without the person who writes."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": ROWS, "data-keep": "comment"}),
        help_text=gettext_lazy(
            "Your colleagues here read it; nothing of it is sent. Write @ and a colleague's name to ask them to look."
        ),
    )
    comment_asks = forms.ChoiceField(label=gettext_lazy("Ask a colleague to look"), required=False)
    comment_begun = forms.UUIDField(required=False, widget=forms.HiddenInput(attrs={"data-keep": "begun"}))

    def __init__(self, *args: Any, people: Sequence[User], form_id: str = "", **kwargs: Any) -> None:
        """`form_id` is that of another form of the page with which it is sent."""
        super().__init__(*args, **kwargs)
        self.people = list(people)
        field: Any = self.fields["comment_asks"]
        field.choices = [
            ("", _("No one in particular")),
            *((str(one.pk), called(one)) for one in self.people),
        ]
        self.initial.setdefault("comment_begun", uuid4())
        if form_id:
            for one in self.fields.values():
                one.widget.attrs["form"] = form_id

    @property
    def chosen(self) -> User | None:
        wanted = self.cleaned_data.get("comment_asks")
        return next((one for one in self.people if str(one.pk) == wanted), None)


class CommentEditForm(forms.Form):
    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": ROWS}),
        help_text=gettext_lazy("It is marked as edited. Whom you mention only now is asked to look."),
    )
