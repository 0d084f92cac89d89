"""Forms of the replies inbox: an answer, whose a conversation is, and a keyword."""

from typing import Any
from uuid import uuid4

from django import forms
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.forms.catalogue import NounForm
from portal.models import Role, User
from sms.compose import labels
from sms.inbound.optouts import keywords, own_keywords
from sms.inbound.optouts.folding import words_of
from sms.models import Conversation, KeywordRule, Label, MessageTemplate, Service
from sms.sends.replies.handling import name_of
from sms.values.msisdn.mention import numbers_like
from sms.webex.limits import LARGEST_TEXT_LIMIT
from sms.words import number, retold

ANSWERING = (Role.COMPOSER, Role.ADMIN)  # who may hold the act "compose"


class AnswerForm(forms.Form):
    """`token` makes an answer that is sent twice one answer; `seen` is how many the page showed."""

    text = forms.CharField(
        label=gettext_lazy("Your answer"),
        max_length=LARGEST_TEXT_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        error_messages={"required": gettext_lazy("Write an answer, or choose a template.")},
    )
    at_night = forms.BooleanField(required=False, label=gettext_lazy("Send it now all the same"))
    done = forms.BooleanField(required=False, label=gettext_lazy("Mark the conversation done with it"))
    token = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput)
    seen = forms.IntegerField(min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, conversation: Conversation, text: str = "", **kwargs: Any) -> None:
        initial = {"token": uuid4().hex, "seen": conversation.answered, "text": text}
        super().__init__(*args, **kwargs | {"initial": initial})

    def show_again(self, conversation: Conversation) -> None:
        """What was typed stays; the page shows the newest answers now."""
        self.data = self.data.copy()  # type: ignore[attr-defined]
        self.data["seen"] = str(conversation.answered)  # type: ignore[index]


class AssignForm(forms.Form):
    """Cleaned, `to` is a colleague or None; `was` whose it was on the page."""

    to = forms.ChoiceField(required=False, label=gettext_lazy("Assigned to"))
    was = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput(attrs={"id": "assign-was"})
    )

    def __init__(self, *args: Any, service: Service, conversation: Conversation, **kwargs: Any) -> None:
        initial = {"to": conversation.assigned_to_id, "was": conversation.assigned_to_id}
        super().__init__(*args, **kwargs | {"initial": initial, "auto_id": "assign-%s"})
        people = User.objects.filter(
            memberships__service=service, memberships__role__in=ANSWERING, is_active=True
        )
        self.people = {str(one.pk): one for one in people.distinct().order_by("email")}
        self.fields["to"].choices = [  # type: ignore[attr-defined]
            ("", _("Not assigned")),
            *((key, name_of(one)) for key, one in self.people.items()),
        ]

    def clean_to(self) -> User | None:
        return self.people.get(self.cleaned_data["to"])


class KeywordForm(NounForm):
    """A keyword and what it does. STOP and its like are not to be had."""

    UNIQUE = ()

    label = forms.CharField(
        required=False,
        label=gettext_lazy("Label"),
        help_text=gettext_lazy("A short word that the conversation gets, like cancelled."),
    )
    template = forms.ModelChoiceField(
        MessageTemplate.objects.none(),
        required=False,
        label=gettext_lazy("Answer with a template"),
        help_text=gettext_lazy(
            "One whose text has no placeholders, or only such as the message had that is answered."
        ),
    )
    text = forms.CharField(
        required=False,
        label=gettext_lazy("Or with this text"),
        max_length=LARGEST_TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        help_text=gettext_lazy(
            "At most once an hour to one person, and three times a day for all keywords; never in quiet hours."
        ),
    )

    class Meta:
        model = KeywordRule
        fields = ("keyword", "first_words", "template", "text", "settles")

    field_order = ("keyword", "first_words", "label", "template", "text", "settles")

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, service=service, **kwargs)
        self.fields["template"].queryset = service.templates.filter(active=True)  # type: ignore[attr-defined]
        self.fields["template"].empty_label = _("None")  # type: ignore[attr-defined]
        if self.instance.label_id:
            self.initial["label"] = self.instance.label.word
        self.order_fields(self.field_order)

    def clean_keyword(self) -> str:
        keyword: str = self.cleaned_data["keyword"].strip()
        words = words_of(keyword)
        if not words:
            raise forms.ValidationError(_("Write a word or a number, like C or CONFIRM."))
        if numbers_like(keyword):
            raise forms.ValidationError(_("It looks like a phone number. Choose another word."))
        if len(words) > own_keywords.MOST_WORDS:
            says = ngettext(
                "A keyword has %(most)s word at most.",
                "A keyword has %(most)s words at most.",
                own_keywords.MOST_WORDS,
            )
            raise forms.ValidationError(says % {"most": number(own_keywords.MOST_WORDS)})
        if keywords.read(keyword).meaning not in own_keywords.OPEN_TO_RULES:
            says = _(
                "“%(keyword)s” is read as opting out or in again, which nothing overrides. Choose another word."
            )
            raise forms.ValidationError(says % {"keyword": keyword})
        folded = " ".join(words)
        others = KeywordRule.objects.filter(service=self.service, folded=folded).exclude(pk=self.instance.pk)
        if other := others.first():
            says = (
                _("“%(keyword)s” is listed already, and means the same. Change that one instead.")
                if other.active
                else _(
                    "“%(keyword)s” is listed already, archived, and means the same. Change that one instead."
                )
            )
            raise forms.ValidationError(says % {"keyword": other}, code="taken")
        self.instance.folded = folded
        return keyword

    def clean_label(self) -> str:
        written: str = self.cleaned_data["label"].strip()
        if not written:
            return ""
        try:
            for problem in labels.problems(self.service, [written]):
                raise forms.ValidationError(retold(problem.text), code=problem.code)
            return labels.normalized(written)
        except labels.BadLabel as problem:
            raise forms.ValidationError(retold(str(problem)), code=problem.code) from None

    def clean(self) -> None:
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("template") and cleaned.get("text"):
            self.add_error("text", _("Choose a template or write a text, not both."))

    def save(self, commit: bool = True) -> Any:
        word = self.cleaned_data["label"]
        with transaction.atomic():
            label = Label.objects.get_or_create(service=self.service, word=word)[0] if word else None
            self.instance.label = label
            return super().save(commit)
