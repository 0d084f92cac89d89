"""Whose rows a staff member sees in the admin, and the audit of every change made there."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import DateTimeField, Model, QuerySet
from django.forms import SplitDateTimeField
from django.http import HttpRequest
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from sms import models
from sms.catalogue.form_changes import changes, hold_back
from sms.models.audit import audit
from sms.words import number


def administered(user: Any) -> "QuerySet[models.Service]":
    if user.is_superuser:
        return models.Service.objects.all()
    return models.Service.objects.filter(memberships__user=user, memberships__role="admin").distinct()


def slugs_of(request: HttpRequest) -> frozenset[str]:
    """The slugs of those services, asked once per request: the admin wants to know for every model, several times."""
    known: frozenset[str] | None = getattr(request, "administered_slugs", None)
    if known is None:
        known = frozenset(administered(request.user).order_by().values_list("slug", flat=True))
        request.administered_slugs = known  # type: ignore[attr-defined]
    return known


LONGEST_KEY = 19  # characters; every key is a whole number of 64 bits

# what acts of the admin call a thing, where the other acts call it something else
NOUNS = {"policy group": "policy_group", "short-link domain": "domain"}


# what the links of Django's filters compare by; any other ending is written by hand
OF_FILTERS = ("", "__exact", "__isnull", "__isempty", "__gte", "__lt", "__id__exact")


class OwnServices(admin.RelatedFieldListFilter):
    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return list(administered(request.user).values_list("pk", "name"))


class DateAndTime(AdminSplitDateTime):
    """Its two fields have names; Django's stand beside words that belong to neither."""

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        super().__init__(attrs)
        for part, name in zip(self.widgets, (_("Date"), _("Time")), strict=True):
            part.attrs["aria-label"] = name


class Audited(admin.ModelAdmin):
    """Every change is one row of our own audit, and lists are narrowed by the filters they offer alone: by an address that is written by
    hand, Django would compare any column, and so spell out a number digit by digit."""

    formfield_overrides: ClassVar[Any] = {
        DateTimeField: {"form_class": SplitDateTimeField, "widget": DateAndTime}
    }

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        assert request is not None, "Django gives it"
        filters: Any = self.get_list_filter(request)
        offered = [one if isinstance(one, str) else one[0] for one in filters]
        known = lookup in {f"{name}{end}" for name in offered for end in OF_FILTERS}
        return known and bool(super().lookup_allowed(lookup, value, request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """None also for a key with more digits than any has, which databases refuse in ways of their own."""
        return super().get_object(request, object_id, from_field) if len(object_id) < LONGEST_KEY else None

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """What makes approval weaker waits, as on the pages."""
        if change and (held := hold_back(form, by=actor(request))) is not None:
            messages.warning(request, held.sentence)
        self.store(request, obj, form, change)

    def store(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._audit(request, obj, "added")
        return super().log_addition(request, obj, message)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        if (changed := getattr(form, "instance", None)) is not None:  # the form of a password has none
            changed.form_changes = changes(form)
        made: list[dict[str, Any]] = super().construct_change_message(request, form, formsets, add)
        return made

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._audit(request, obj, "changed", **getattr(obj, "form_changes", {"fields": []}))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._audit(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, obj: Any, verb: str, **details: Any) -> None:
        noun = NOUNS.get(obj.audit_noun, obj.audit_noun)
        audit(f"{noun}.{verb}", obj, by=actor(request), noun=noun, named=str(obj), **details)


class Scoped(Audited):
    """Rows of the viewer's services only. `service_path` leads from the model to its service; `never` are acts that nobody may do."""

    service_path = "service"
    never: ClassVar[tuple[str, ...]] = ()
    list_select_related: ClassVar[Any] = True

    def _allowed(self, request: HttpRequest, obj: Model | None) -> bool:
        user: Any = request.user
        if not (user.is_active and user.is_staff):
            return False
        if obj is None:
            return bool(slugs_of(request))
        services = administered(user)
        return type(obj)._default_manager.filter(pk=obj.pk, **{f"{self.service_path}__in": services}).exists()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allowed(request, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allowed(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" not in self.never and self._allowed(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return "change" not in self.never and self._allowed(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was used stays, by the database's own protection; the rest may go."""
        return "delete" not in self.never and self._allowed(request, obj)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        found = self.get_object(request, unquote(object_id))
        if found is not None and self.has_delete_permission(request, found):
            protected = self.get_deleted_objects([found], request)[3]
            if protected:
                messages.error(request, self.in_use(found, len(protected)))
                return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", found.pk)
        return super().delete_view(request, object_id, extra_context)

    def in_use(self, obj: Any, count: int) -> str:
        says = ngettext(
            "“%(name)s” is used in %(n)s place, whose history names it, so it stays.",
            "“%(name)s” is used in %(n)s places, whose history names it, so it stays.",
            count,
        ) % {"name": obj, "n": number(count)}
        instead = gettext("Untick “active” to stop using it.")
        return f"{says} {instead}" if hasattr(obj, "active") else says

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return (
            super().get_queryset(request).filter(**{f"{self.service_path}__in": administered(request.user)})
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row stays with its service: sends that use it were checked there."""
        fixed = tuple(super().get_readonly_fields(request, obj))
        names = {field.name for field in self.model._meta.fields} - {*fixed}
        return (*fixed, "service") if obj is not None and "service" in names else fixed

    def get_list_filter(self, request: HttpRequest) -> Any:
        """By service, among the viewer's own, and only where there are several."""
        mine = len(slugs_of(request))
        return [
            (one, OwnServices) if one in ("service", "send__service") else one
            for one in super().get_list_filter(request)
            if mine > 1 or one not in ("service", "send__service")
        ]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        related = db_field.remote_field.model
        if related is models.Service:
            kwargs["queryset"] = administered(request.user)
        elif any(field.name == "service" for field in related._meta.fields):
            kwargs["queryset"] = related._default_manager.filter(service__in=administered(request.user))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def mark(state: str, label: object) -> SafeString:
    """A state as the pages show it: its shape, its word and its colour."""
    return render_to_string("components/status.html", {"state": state, "label": label})


def actor(request: HttpRequest) -> models.Actor:
    return models.Actor.person(request.user, door="admin", address=request.META.get("REMOTE_ADDR"))


class ReadOnly(Scoped):
    """Records of what happened cannot be edited."""

    never = ("add", "change", "delete")
