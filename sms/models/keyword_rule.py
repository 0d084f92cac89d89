"""Keywords of a service: what people may text to it, beside STOP and its like, and what is done then."""

from django.db import models
from django.db.models import CASCADE, SET_NULL, CheckConstraint, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sms.models.personal import PersonalData
from sms.webex.limits import LARGEST_TEXT_LIMIT


class KeywordRule(models.Model):
    """One keyword. `folded` is its words without case, accents, width and signs, as an incoming SMS is compared with it."""

    audit_noun = "keyword"

    service = models.ForeignKey("sms.Service", on_delete=CASCADE, related_name="keywords")
    keyword = models.CharField(
        max_length=40, help_text=_("As you tell people to text it, like C or CONFIRM.")
    )
    folded = models.CharField(max_length=120, editable=False)
    first_words = models.BooleanField(
        _("also at the beginning of a longer text"),
        default=False,
        help_text=_("“C please” counts as C. Otherwise the text says nothing but the keyword."),
    )
    label = models.ForeignKey(
        "sms.Label",
        null=True,
        blank=True,
        on_delete=SET_NULL,
        related_name="keywords",
        help_text=_("That the conversation gets."),
    )
    template = models.ForeignKey(
        "sms.MessageTemplate", null=True, blank=True, on_delete=SET_NULL, related_name="keywords"
    )
    text = models.TextField(pgettext_lazy("noun", "answer"), blank=True, max_length=LARGEST_TEXT_LIMIT)
    settles = models.BooleanField(
        _("no colleague needs to read it"),
        default=False,
        help_text=_("The conversation is not opened for it. Leave it empty where a colleague has to act."),
    )
    active = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    personal = PersonalData(service="service", catalogue="keyword folded text")

    class Meta:
        ordering = ("folded",)
        constraints = (
            UniqueConstraint(fields=("service", "folded"), name="keyword_is_listed_once_per_service"),
            CheckConstraint(
                name="keyword_answers_with_a_text_or_a_template",
                condition=Q(text="") | Q(template__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.keyword

    @property
    def answers(self) -> bool:
        return bool(self.text or self.template_id)
