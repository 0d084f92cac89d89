"""What the pages of every kind of thing in the catalogue share: list, detail, form, and taking one out."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import CreateView, DetailView, TemplateView, UpdateView
from django.views.generic.detail import SingleObjectMixin

from portal.forms.catalogue import NounForm
from portal.limits import PAGE
from portal.views.confirm_base import Confirmation, ask
from portal.views.service_base import ServiceView
from sms.catalogue.form_changes import changes
from sms.models import (
    ContactPolicyGroup,
    Draft,
    KeywordRule,
    MessageTemplate,
    Send,
    Sender,
    ShortLinkDomain,
    Smartlink,
)
from sms.models.audit import audit
from sms.words import number

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class CatalogueKind:
    """The words and addresses of one kind of thing. `key` is the name of its page's URL, from which the others are made."""

    key: str
    name: "StrOrPromise"
    title: "StrOrPromise"
    new_title: "StrOrPromise"
    none_yet: "StrOrPromise"
    says: "StrOrPromise"
    form: type[NounForm]
    acts: str = ""  # what its acts in the audit begin with, where it is not the key

    def act_of(self, verb: str) -> str:
        """`policy_group.changed`."""
        return f"{self.acts or self.key}.{verb}"

    @property
    def many(self) -> str:
        return f"{self.key}s"

    @property
    def new(self) -> str:
        return f"{self.key}_new"


class CatalogueView(ServiceView):
    """Things of one kind in the service. In templates the kind is `noun`."""

    kind: Any = None  # a CatalogueKind, given by the URL

    def get_queryset(self) -> QuerySet[Any]:
        things: QuerySet[Any] = getattr(self.service, self.kind.many).all()
        return things

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(noun=self.kind, **kwargs)

    def audit(self, verb: str, thing: Any, **details: Any) -> None:
        """One row; call it in the transaction of the act."""
        audit(self.kind.act_of(verb), thing, by=self.by, **details)


class CatalogueList(CatalogueView, TemplateView):
    act = "see"
    template_name = "catalogue/things.html"
    headings: "ClassVar[tuple[StrOrPromise, ...]]" = ()

    def cells(self, things: list[Any]) -> list[list[str]]:
        """The figures of each thing, in the order of the headings."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        archived, things = self.request.GET.get("archived") == "1", self.get_queryset()
        page = Paginator(things.filter(active=not archived), PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(**kwargs) | {
            "page": page,
            "heads": self.headings,
            "rows": list(zip(page, self.cells(list(page)), strict=True)),
            "archived": archived,
            "any_archived": archived or things.filter(active=False).exists(),
        }


class CatalogueDetail(CatalogueView, DetailView):
    act = "see"
    template_name = "catalogue/thing.html"
    context_object_name = "thing"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        key = self.kind.key
        context = super().get_context_data(edit=f"{key}_edit", remove=f"{key}_remove", **kwargs)
        if hasattr(self.object, "sends"):
            context["sends"] = self.object.sends.filter(answering__isnull=True).order_by("-pk")[:10]
        return context


class CatalogueForm(CatalogueView):
    """Saved with its audit row."""

    act = "configure"
    template_name: str | None = "catalogue/form.html"
    context_object_name: str | None = "thing"
    verb: ClassVar[str]

    def get_form_class(self) -> type[NounForm]:
        return self.kind.form

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]
        return kwargs | {"service": self.service}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            saved = form.save()
            self.audit(self.verb, saved, **changes(form))
        messages.success(self.request, _("Saved."))
        return redirect(self.kind.key, self.service.slug, saved.pk)


class CatalogueNew(CatalogueForm, CreateView):
    verb = "added"


class CatalogueEdit(CatalogueForm, UpdateView):
    verb = "changed"


class CatalogueRemove(CatalogueView, SingleObjectMixin):
    """Asks; what nothing uses is deleted, the rest is archived, and a second press takes it back."""

    act = "configure"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        thing = self.get_object()
        back = reverse(self.kind.key, args=[self.service.slug, thing.pk])
        if not thing.active:
            return redirect(back)
        uses = sum(rows.count() for rows in _users(thing))
        archived = ngettext(
            "%(n)s send, draft or other entry uses it, so it is archived: nothing new can use it, "
            "and its history stays readable. You can take it back.",
            "%(n)s sends, drafts and other entries use it, so it is archived: nothing new can use it, "
            "and its history stays readable. You can take it back.",
            uses,
        )
        asked = Confirmation(
            _("Remove %(name)s?") % {"name": thing},
            archived % {"n": number(uses)}
            if uses
            else _("Nothing uses it, so it is deleted. This cannot be undone."),
            button=_("Archive it") if uses else _("Delete it"),
        )
        return ask(request, asked, back=back, crumb=str(thing))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        thing = self.get_object()
        with transaction.atomic():
            if thing.active and not _used(thing):
                self.audit("deleted", thing, named=str(thing))
                thing.delete()
                messages.success(request, _("%(name)s was deleted; nothing used it.") % {"name": thing})
                return redirect(self.kind.many, self.service.slug)
            thing.active = not thing.active
            if isinstance(thing, Sender):
                thing.is_default = False
            thing.save()
            self.audit("restored" if thing.active else "archived", thing)
        archived = _("%(name)s is in use, so it was archived: its history stays readable.")
        says = _("%(name)s can be used again.") if thing.active else archived
        messages.success(request, says % {"name": thing})
        return redirect(self.kind.key, self.service.slug, thing.pk)


def _used(thing: Any) -> bool:
    return any(rows.exists() for rows in _users(thing))


def _users(thing: Any) -> "list[QuerySet[Any]]":
    if isinstance(thing, Smartlink):
        texts = {"service": thing.service, "text__contains": thing.token}
        versions = {"service": thing.service, "versions__text__contains": thing.token}
        users: list[Any] = [Draft.objects.filter(**texts), Send.objects.filter(**texts)]
        users.append(MessageTemplate.objects.filter(**versions))
    elif isinstance(thing, KeywordRule):
        users = [thing.inbound_messages.all(), thing.answered_with.all()]
    else:
        kinds = {Sender: "sender", ContactPolicyGroup: "policy_group", ShortLinkDomain: "link_domain"}
        of = {kinds[type(thing)]: thing}
        users = [Send.objects.filter(**of), Draft.objects.filter(**of)]
        if hasattr(thing, "holds"):
            users.append(thing.holds.all())
    return users
