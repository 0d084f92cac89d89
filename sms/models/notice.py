"""Notices: what one person is told, in the portal and by e-mail, and how each of them wants it. `sms.notices` writes and mails them."""

from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.db.models import CASCADE, CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from sms.models.personal import PersonalData


class NoticeKind(models.TextChoices):
    """What a notice is about. Words are those of the page where people choose."""

    SEND_DONE = "send_done", _("A send of yours is done")
    SEND_HELD = "send_held", _("A send of yours, or all sending, is paused")
    SEND_REJECTED = "send_rejected", _("An approver rejected a send of yours")
    APPROVAL_ASKED = "approval_asked", _("A send needs your approval")
    APPROVAL_ANSWERED = "approval_answered", _("A send of yours was approved, or its request ended otherwise")
    MENTION = "mention", _("A colleague mentions you or asks you to look")
    REPLY = "reply", _("A reply came")
    RECURRING = "recurring", _("A recurring send was skipped or failed")
    RECEIPTS_MISSING = "receipts_missing", _("Receipts are missing")
    DOMAIN = "domain", _("A short-link domain or a certificate fails, or is about to")
    CALLBACKS_OFF = "callbacks_off", _("Callbacks to a partner were switched off")
    KEY_EXPIRES = "key_expires", _("An API key is about to expire")
    SPEND_CAP = "spend_cap", _("A spend cap comes near or is reached")
    CHANGE_WAITS = "change_waits", _("A change waits for a second admin")
    AUDIT_RED = "audit_red", _("The check of the audit found a change")
    OPERATIONS = "operations", _("Something does not work, such as the database or sending")


class NoticeWay(models.TextChoices):
    """How a person is told of a kind. Everything but OFF also stands in the portal."""

    MAIL = "mail", _("E-mail at once")
    DIGEST = "digest", _("Daily e-mail")
    PORTAL = "portal", _("Only in Textdesk")
    OFF = "off", _("Off")


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """`usual` is the way of a person who chose none. Only people with one of `roles` in the service are told; empty means every member.

    What is `fixed` guards the others: nobody turns it off, and whoever did it is told as well, in case it was not they.
    """

    usual: NoticeWay
    roles: tuple[str, ...] = ()
    fixed: bool = False


_ADMINS = ("admin",)
NOTICE_RULES: dict[NoticeKind, NoticeRule] = {
    NoticeKind.SEND_DONE: NoticeRule(NoticeWay.PORTAL),
    NoticeKind.SEND_HELD: NoticeRule(NoticeWay.MAIL),
    NoticeKind.SEND_REJECTED: NoticeRule(NoticeWay.MAIL),
    NoticeKind.APPROVAL_ASKED: NoticeRule(NoticeWay.MAIL, ("approver",)),
    NoticeKind.APPROVAL_ANSWERED: NoticeRule(NoticeWay.MAIL),
    NoticeKind.MENTION: NoticeRule(NoticeWay.MAIL),
    NoticeKind.REPLY: NoticeRule(NoticeWay.PORTAL),
    NoticeKind.RECURRING: NoticeRule(NoticeWay.MAIL),
    NoticeKind.RECEIPTS_MISSING: NoticeRule(NoticeWay.MAIL, _ADMINS),
    NoticeKind.DOMAIN: NoticeRule(NoticeWay.MAIL, _ADMINS),
    NoticeKind.CALLBACKS_OFF: NoticeRule(NoticeWay.MAIL, _ADMINS),
    NoticeKind.KEY_EXPIRES: NoticeRule(NoticeWay.MAIL, _ADMINS),
    NoticeKind.SPEND_CAP: NoticeRule(NoticeWay.MAIL, _ADMINS),
    NoticeKind.CHANGE_WAITS: NoticeRule(NoticeWay.MAIL, _ADMINS, fixed=True),
    NoticeKind.AUDIT_RED: NoticeRule(NoticeWay.MAIL, _ADMINS, fixed=True),
    NoticeKind.OPERATIONS: NoticeRule(NoticeWay.MAIL, _ADMINS),
}


class Notice(models.Model):
    """One thing that one person is told. `event` says what makes it this one: the same event tells a person once.

    `says` is a sentence, `more` what a mail adds; neither holds a recipient's number or a message. `page` is the name of the page it is
    about, with `page_id` and `anchor` where it has them. `mail_due_at` is empty where no mail is owed any more.
    """

    KEPT = 90  # days

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=CASCADE, related_name="notices", db_index=False
    )
    service = models.ForeignKey(
        "sms.Service", null=True, blank=True, on_delete=CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=20)
    event = models.CharField(max_length=100)
    says = models.CharField(max_length=300)
    more = models.TextField(blank=True)
    page = models.CharField(max_length=40, blank=True)
    page_id = models.BigIntegerField(null=True, blank=True)
    anchor = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    way = models.CharField(max_length=10)
    mail_due_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(
        service="service", texts="says more", neutral="kind event page page_id anchor way"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            Index(fields=("person", "id"), name="notice_of_a_person"),  # used by: the page of notices
            # used by: the bell, in every page's head
            Index(fields=("person",), name="notice_unread", condition=Q(seen_at__isnull=True)),
            # used by: the job that mails
            Index(fields=("mail_due_at",), name="notice_to_mail", condition=Q(mail_due_at__isnull=False)),
            Index(fields=("at",), name="notice_by_time"),  # used by: the job that deletes old ones
        )
        constraints = (
            UniqueConstraint(fields=("event", "person"), name="notice_tells_a_person_once"),
            CheckConstraint(
                name="notice_is_mailed_or_owed_not_both",
                condition=Q(mailed_at__isnull=True) | Q(mail_due_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.says

    @property
    def about(self) -> str:
        """Its kind, in words."""
        return str(NoticeKind(self.kind).label) if self.kind in NoticeKind.values else self.kind


class NoticeChoices(models.Model):
    """How a person wants to be told, and whether mail reaches them. No row: as usual, and nothing came back.

    `ways` holds kinds that differ from the usual. `refused_address` is the address that mail could not be delivered to; another address
    of the person is tried again.
    """

    DIGEST_HOUR = 8

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=CASCADE, related_name="notice_choices"
    )
    ways = models.JSONField(default=dict)
    digest_hour = models.PositiveSmallIntegerField(default=DIGEST_HOUR)
    refused_address = models.CharField(max_length=254, blank=True)
    refused_says = models.CharField(max_length=300, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(team="refused_address refused_says", neutral="ways")

    class Meta:
        constraints = (
            CheckConstraint(
                name="notice_digest_is_at_an_hour_of_the_day", condition=Q(digest_hour__range=(0, 23))
            ),
        )

    def __str__(self) -> str:
        return f"notices of {self.person_id}"

    def way_of(self, kind: NoticeKind) -> NoticeWay:
        rule = NOTICE_RULES[kind]
        chosen = self.ways.get(kind.value, "")
        return NoticeWay(chosen) if chosen in NoticeWay.values and not rule.fixed else rule.usual
