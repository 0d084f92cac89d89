"""People and memberships in the Django admin, for superusers."""

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group

from portal.models import Membership, User

admin.site.unregister(Group)


class NewUserForm(AdminUserCreationForm):
    """A person is named by e-mail address."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes = {"email": forms.EmailField}  # noqa: RUF012 - Django's own spelling


class MembershipInline(admin.TabularInline):
    """Roles of a person, service by service."""

    model = Membership
    extra = 1


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People."""

    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active")
    search_fields = ("email", "first_name", "last_name")
    inlines = (MembershipInline,)
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "time_zone")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )
