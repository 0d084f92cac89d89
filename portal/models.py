"""People and what they may do: users sign in with their e-mail address, memberships tie them to services."""

from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from sms.models.columns import empty_text
from sms.models.guard import Guarded, any_change, switched_on
from sms.models.personal import PersonalData
from sms.models.service import valid_zone


class Role(models.TextChoices):
    COMPOSER = "composer", gettext_lazy("Composer")
    APPROVER = "approver", gettext_lazy("Approver")
    ADMIN = "admin", gettext_lazy("Admin")
    AUDITOR = "auditor", gettext_lazy("Auditor")

    @property
    def in_english(self) -> str:
        """`approver`, for what is stored."""
        return IN_SENTENCES[self.value]

    @property
    def in_sentence(self) -> str:
        return gettext(self.in_english)


IN_SENTENCES = {
    "composer": gettext_noop("composer"),
    "approver": gettext_noop("approver"),
    "admin": gettext_noop("admin"),
    "auditor": gettext_noop("auditor"),
}


GUARDING_ROLES = (Role.APPROVER, Role.ADMIN)  # they answer for what others do


class UserManager(BaseUserManager["User"]):
    """Users are named by their e-mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person; without a password they cannot sign in until one is set."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True} | fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Sign-in forgives case."""
        return self.get(email__iexact=username)


class User(Guarded, AbstractUser):
    audit_noun = "user"
    WEAKER: ClassVar[Any] = {
        "is_superuser": switched_on,
        "is_active": lambda stored, before, after: (
            bool(stored["is_superuser"]) and switched_on(stored, before, after)
        ),
    }

    username = None  # type: ignore[assignment]
    email = models.EmailField(gettext_lazy("e-mail address"), unique=True)
    time_zone = models.CharField(
        max_length=60,
        blank=True,
        validators=[valid_zone],
        help_text=gettext_lazy("Empty means the time zone of the service."),
    )
    language = empty_text(
        10, gettext_lazy("Of pages and mails. Empty means what the browser asks for, and English in mails.")
    )
    own_number = empty_text(16, "E.164 with its plus, proved by a code. Tests of drafts can go there.")
    vouched_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who last made this account, or set its password: for some days its word is theirs.",
    )
    vouched_at = models.DateTimeField(null=True, blank=True, editable=False)
    superuser_by_group = models.BooleanField(
        default=False, editable=False, help_text="A group of single sign-on made them one, and takes it away."
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    personal = PersonalData(
        numbers="own_number", team="email first_name last_name password time_zone language"
    )

    class Meta:
        ordering = ("email",)

    def __str__(self) -> str:
        return self.email

    @property
    def shown_name(self) -> str:
        """What colleagues call them. The address is what identifies them, so where it matters who it was, that is shown as well."""
        return self.get_full_name() or self.email

    @property
    def guards(self) -> int | None:
        """A superuser answers for every service."""
        return None


class NumberCode(models.Model):
    """A code that was sent by SMS to a number that a person calls theirs. The number counts once they typed it.

    A person has one that counts, the latest; earlier ones stay for a day, so that they are counted.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="number_codes")
    number = models.CharField(max_length=16)
    digest = models.CharField(max_length=128)
    sent_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(numbers="number", neutral="digest")

    class Meta:
        ordering = ("-id",)
        # used by: how many codes went to a number within a day
        indexes = (models.Index(fields=("number", "sent_at"), name="number_code_of_a_number"),)

    def __str__(self) -> str:
        return f"code of {self.user_id}"


class PersonsSession(AbstractBaseSession):
    """A session that knows whose it is, so that it can be listed and ended; `portal.sessions` keeps it."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    used_at = models.DateTimeField(
        default=timezone.now, help_text="To the minute; what a page asks automatically does not count."
    )

    personal = PersonalData(
        packed="session_data", team="session_key", unpacked=lambda row: str(row.get_decoded())
    )

    class Meta(AbstractBaseSession.Meta):
        pass

    def __str__(self) -> str:
        """Never its key, which the admin would show where a person is deleted."""
        return f"session of {self.user or 'a visitor'}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """The one that SESSION_ENGINE names; it imports this module."""
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


class FirstRunCode(models.Model):
    """The digest of the code that makes the first admin: at most one row, which is also what claims wait for (`portal.first_run`)."""

    ONLY = 1

    digest = models.CharField(max_length=64, editable=False)

    personal = PersonalData(neutral="digest")

    class Meta:
        constraints = (models.CheckConstraint(name="first_run_code_is_one_row", condition=models.Q(pk=1)),)

    def __str__(self) -> str:
        return "first-run code"


class Invitation(models.Model):
    """A place in a service, offered by e-mail. Its link is signed, holds until `expires_at`, and works once.

    `nonce` is part of the link: a new one makes the link that was sent before worthless.
    """

    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(gettext_lazy("e-mail address"))
    roles = models.JSONField(default=list)
    nonce = models.CharField(max_length=43, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    personal = PersonalData(team="email roles nonce")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("service", "email"),
                name="invitation_open_once_per_address",
                condition=models.Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
            ),
            models.CheckConstraint(
                name="invitation_is_accepted_or_withdrawn_not_both",
                condition=models.Q(accepted_at__isnull=True) | models.Q(withdrawn_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"invitation of {self.email}"

    @property
    def role_names(self) -> str:
        """`Composer, Approver`."""
        return ", ".join(str(Role(role).label) for role in self.roles if role in Role.values)

    @property
    def roles_in_sentence(self) -> str:
        """`composer, approver`."""
        return ", ".join(Role(role).in_sentence for role in self.roles if role in Role.values)


class Membership(Guarded):
    """A person's role in a service. Several roles are several rows."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    service = models.ForeignKey("sms.Service", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    given_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    since = models.DateTimeField(default=timezone.now, editable=False)
    by_group = models.BooleanField(
        default=False, editable=False, help_text="A group of single sign-on gave it, and takes it away."
    )

    WEAKER: ClassVar[Any] = {
        "role": lambda _, before, after: before != after and after in GUARDING_ROLES,
        "user_id": lambda stored, before, after: before != after and stored["role"] in GUARDING_ROLES,
        "service_id": lambda stored, before, after: before != after and stored["role"] in GUARDING_ROLES,
    }

    class Meta:
        ordering = ("service", "user", "role")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "service", "role"), name="member_has_each_role_once_per_service"
            ),
            models.CheckConstraint(
                name="member_role_is_a_known_one", condition=models.Q(role__in=Role.values)
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.get_role_display().lower()} of {self.service}"


class FactorRule(models.Model):
    """Who has to have a second factor: a role of a service, or of the whole desk where `service` is empty (`portal.factors`).

    An empty role means everybody. People have `grace_days` from `since`, or from when they came under the rule.
    """

    audit_noun = "factor_rule"

    service = models.ForeignKey(
        "sms.Service", null=True, on_delete=models.CASCADE, related_name="factor_rules"
    )
    role = models.CharField(max_length=10, blank=True, choices=Role)
    grace_days = models.PositiveSmallIntegerField()
    since = models.DateTimeField(default=timezone.now)

    personal = PersonalData()

    class Meta:
        ordering = ("service", "role")
        constraints = (
            models.UniqueConstraint(fields=("service", "role"), name="factor_rule_once_per_role"),
            models.UniqueConstraint(
                fields=("role",), condition=models.Q(service=None), name="factor_rule_of_desk_once_per_role"
            ),
        )

    def __str__(self) -> str:
        facts = {
            "role": Role(self.role).in_sentence if self.role else "",
            "service": self.service.name if self.service else "",
        }
        if self.service:
            says = (
                gettext("every %(role)s of %(service)s") if self.role else gettext("everyone of %(service)s")
            )
        else:
            says = gettext("every %(role)s") if self.role else gettext("everybody")
        return says % facts


class GroupRole(Guarded):
    """What a group of single sign-on gives: a role in a service, or superuser of the desk where `service` is empty (`portal.sso`)."""

    audit_noun = "group_role"
    WEAKER: ClassVar[Any] = {"group": any_change, "service_id": any_change, "role": any_change}

    group = models.CharField(max_length=200)
    service = models.ForeignKey(
        "sms.Service", null=True, on_delete=models.CASCADE, related_name="group_roles"
    )
    role = models.CharField(max_length=10, blank=True, choices=Role)

    personal = PersonalData(team="group")

    class Meta:
        ordering = ("group", "service", "role")
        constraints = (
            models.UniqueConstraint(fields=("group", "service", "role"), name="group_gives_each_role_once"),
            models.UniqueConstraint(
                fields=("group",), condition=models.Q(service=None), name="group_makes_superusers_once"
            ),
            models.CheckConstraint(
                name="group_gives_a_role_or_makes_superusers",
                condition=models.Q(service=None, role="")
                | models.Q(service__isnull=False, role__in=Role.values),
            ),
        )

    def __str__(self) -> str:
        return f"{self.group}: {self.gives}"

    @property
    def gives(self) -> str:
        if self.service is None:
            return gettext("Superuser of the desk")
        # Translators: “Approver of Shop”.
        return gettext("%(role)s of %(service)s") % {
            "role": self.get_role_display(),
            "service": self.service.name,
        }
