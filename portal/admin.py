"""People, memberships and invitations in the Django admin, for superusers. The rules are the people page's (`portal.people`)."""

from typing import Any

from allauth.account.admin import EmailAddress
from allauth.mfa.admin import Authenticator
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from portal import addresses, people, sessions
from portal.models import Invitation, Membership, Role, User
from sms.admin.scoped import Audited, ReadOnly, actor
from sms.models import Service
from sms.models.sql.clock import corrected_now

# addresses, second factors and single sign-on change on pages of our own, where it is audited; their admins would show secrets, and
# record nothing
admin.site.unregister((Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken))


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}  # noqa: RUF012 - Django's own spelling


class PersonForm(UserChangeForm):
    """A person who is the only admin of a service may sign in. Another address waits until its mailbox confirms it."""

    asked_email = ""

    def clean_email(self) -> str:
        typed = User.objects.normalize_email(self.cleaned_data["email"]).lower()
        if typed == self.instance.email.lower():
            return str(self.instance.email)
        if User.objects.filter(email__iexact=typed).exists():
            raise ValidationError(_("Another person has this address."))
        self.asked_email = typed
        return str(self.instance.email)

    def clean_is_active(self) -> bool:
        active = bool(self.cleaned_data["is_active"])
        if not active and (alone := people.only_admin_of(self.instance)):
            raise ValidationError(people.left_alone(alone))
        return active


class MembershipForms(forms.BaseInlineFormSet):
    """The rows must leave no service without an admin."""

    def clean(self) -> None:
        super().clean()
        if not self.instance.pk or any(self.errors):
            return
        stays = {
            form.cleaned_data["service"].pk
            for form in self.forms
            if form.cleaned_data.get("role") == Role.ADMIN and not form.cleaned_data.get("DELETE")
        }
        alone = [service for service in people.only_admin_of(self.instance) if service.pk not in stays]
        if alone:
            raise ValidationError(people.left_alone(alone))


class MembershipInline(admin.StackedInline):
    model = Membership
    formset = MembershipForms
    fk_name = "user"
    extra = 1


@admin.register(User)
class UserAdmin(Audited, DjangoUserAdmin):
    form = PersonForm
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "memberships__role", "memberships__service")
    search_fields = ("email", "first_name", "last_name")
    inlines = (MembershipInline,)
    actions = ("sign_out",)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "time_zone", "language")}),
        (pgettext_lazy("verb", "May"), {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        found = self.get_object(request, unquote(object_id))
        if found is not None and (alone := people.only_admin_of(found)):
            messages.error(request, people.left_alone(alone))
            return redirect("admin:portal_user_change", found.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_actions(self, request: HttpRequest) -> Any:
        """Deleting many at once would not check who remains."""
        return {name: one for name, one in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or form.asked_email or {"is_active", "is_superuser"} & set(form.changed_data):
            # whoever has an account in hand could act as that person
            obj.vouched_by, obj.vouched_at = request.user, corrected_now()
        super().save_model(request, obj, form, change)
        if change and form.asked_email:
            link = addresses.ask(obj, form.asked_email, by=actor(request))
            mailed = _("A link was mailed to %(email)s. The address changes when it is opened.")
            if addresses.mail_link(obj, form.asked_email, link):
                messages.info(request, mailed % {"email": form.asked_email})
            else:
                words = _("No mail could be sent. Give this link to the person yourself: %(link)s")
                messages.warning(request, words % {"link": link})

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        """Whoever sets another person's password could sign in as them."""
        answer = super().user_change_password(request, id, form_url)
        if request.method == "POST" and answer.status_code == 302 and str(request.user.pk) != id:
            User.objects.filter(pk=unquote(id)).update(vouched_by=request.user.pk, vouched_at=corrected_now())
        return answer

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Roles that answer for others wait, as on the people page."""
        for row in formset.save(commit=False):
            held = (
                people.hold_role(row.service, row.user, row.role, by=actor(request))
                if row.weakened()
                else None
            )
            if held is not None:
                messages.warning(request, held.sentence)
            else:
                row.given_by = request.user
                row.save()
        for row in formset.deleted_objects:
            row.delete()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles are audited service by service, as on the people page."""
        before = _roles(form.instance)
        super().save_related(request, form, formsets, change)
        after = _roles(form.instance)
        for slug in sorted(before.keys() | after.keys()):
            if before.get(slug) != after.get(slug):
                roles = {"roles": after.get(slug, []), "before": before.get(slug, [])}
                people.record_roles(slug, form.instance, by=actor(request), **roles)
        for gone in Service.objects.filter(slug__in=before.keys() - after.keys()).values_list(
            "pk", flat=True
        ):
            people.call_off_roles(gone, form.instance, by=actor(request))
        lost = any(set(held) - set(after.get(slug, [])) for slug, held in before.items())
        lost = lost or any(
            form.initial.get(one) and not form.cleaned_data.get(one) for one in ("is_staff", "is_superuser")
        )
        if lost and form.instance != request.user:
            sessions.end(form.instance)

    @admin.action(description=gettext_lazy("Sign out everywhere"))
    def sign_out(self, request: HttpRequest, queryset: "QuerySet[User]") -> None:
        for user in queryset:
            people.sign_out(user, by=actor(request))
        messages.success(request, _("They are signed out on all devices, and get a mail about it."))


def _roles(user: User) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for slug, role in user.memberships.order_by("role").values_list("service__slug", "role"):
        held.setdefault(slug, []).append(role)
    return held


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Who was invited, and with what result; inviting is done on the people page."""

    list_display = ("email", "service", "roles_given", "made_by", "expires_at", "accepted_at", "withdrawn_at")
    list_filter = ("service", ("accepted_at", admin.EmptyFieldListFilter))
    list_select_related = ("service", "made_by")
    search_fields = ("email",)
    fields = (
        *("email", "service", "roles_given", "made_by", "made_at", "expires_at"),
        *("accepted_at", "accepted_by", "withdrawn_at"),
    )

    @admin.display(description=gettext_lazy("Roles"))
    def roles_given(self, invitation: Invitation) -> str:
        return invitation.role_names

    def _allowed(self, request: HttpRequest, obj: Any) -> bool:
        """For superusers, as people are."""
        return request.user.is_active and request.user.is_superuser
