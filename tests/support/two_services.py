"""An attacker's service beside a victim's, each with one of everything, and what must stay as it is whatever the attacker asks."""

from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from sms.compliance.personal_columns import columns, personal_of, rows_of
from sms.models import Draft, InboundMessage, Send, Service
from sms.models.personal import ColumnKind
from tests.support.every_page import SERVICE_PAGES, address
from tests.support.people import Cast, a_cast
from tests.support.sends import a_send

MARK = "Xq7theirs"


class TwoServices:
    """`cast.service` is the attacker's own, `cast.other` the victim's."""

    def __init__(self) -> None:
        self.cast: Cast = a_cast(waiting=True)
        person = type(self.cast.users["admin"]).objects.create_user
        self.cast.users |= {
            "staff": person("staff@example.test", is_staff=True),  # who has no role anywhere
            "superuser": person("root@example.test", is_staff=True, is_superuser=True),
        }
        # where nobody listens, so that whatever connects ends at once
        Service.objects.update(base_url="http://127.0.0.1:9")
        self.own, self.theirs = self.cast.service, self.cast.other
        self.things = {service.pk: furnished(service) for service in (self.own, self.theirs)}
        for service in (self.own, self.theirs):
            InboundMessage.objects.create(
                service=service,
                dedupe=b"r%015d" % service.pk,
                raw=b"{}",
                text="Yes",
                received_at=timezone.now(),
            )
        self.pages = {
            (path, service.pk): address(path, service, *self.things[service.pk], furnished=True)
            for service in (self.own, self.theirs)
            for path, _, _ in SERVICE_PAGES
        }
        for model, name in columns(ColumnKind.TEXT, ColumnKind.CATALOGUE):
            self._marked(model, name)
        self.before = rows(self.theirs)

    def _marked(self, model: Any, name: str) -> None:
        """So that words of the victim are known wherever they are shown."""
        field = model._meta.get_field(name)
        if (
            not personal_of(model).service
            or isinstance(field, models.JSONField)
            or 0 < (field.max_length or 0) < 20
        ):
            return
        for pk in rows_of(model, self.theirs).values_list("pk", flat=True):
            try:
                with transaction.atomic():
                    model._base_manager.filter(pk=pk).update(**{name: f"{MARK}{pk}"})
            except IntegrityError:
                continue

    def page(self, path: str, service: Service) -> str:
        return self.pages[path, service.pk]

    def their_id(self, name: str) -> Any:
        """Of the victim's thing that a field of this name takes."""
        return self._ids().get(name, self.things[self.theirs.pk][0].pk)

    def has(self, name: str) -> bool:
        """Whether a field of this name takes a thing."""
        return name in self._ids()

    def _ids(self) -> dict[str, Any]:
        send, draft = self.things[self.theirs.pk]
        known: dict[str, Any] = {
            "service": self.theirs.pk,
            "draft": draft.pk,
            "user": self.cast.users["foreigner"].pk,
        }
        known |= {
            "sender": send.sender_id,
            "template": self.theirs.templates.values_list("pk", flat=True).first(),
            "audience": self.theirs.audiences.values_list("pk", flat=True).first(),
            "policy_group": self.theirs.policy_groups.values_list("pk", flat=True).first(),
            "link_domain": self.theirs.link_domains.values_list("pk", flat=True).first(),
        }
        seeds = {"to": f"list:{known['audience']}", "seeds": known["audience"], "by": f"user:{known['user']}"}
        seeds |= {"comment_asks": known["user"]}
        return known | seeds

    def their_row(self, resource: Any) -> int:
        """Of the victim's, by a resource of the API."""
        found = resource.queryset.filter(**{resource.of_service: self.theirs})
        return int(found.order_by("pk").values_list("pk", flat=True)[0])

    def crossed(self) -> list[str]:
        """What of the attacker's leads to the victim's."""
        return [
            f"{model._meta.label}.{field.name}"
            for model, field, path in LINKS
            if rows_of(model, self.own)
            .filter(**{f"{field.name}__{path}" if path else field.name: self.theirs.pk})
            .exists()
        ]


def furnished(service: Service) -> tuple[Send, Draft]:
    send, draft = a_send(service), Draft.objects.create(service=service, text="Hello", pasted="07700 900001")
    address(SERVICE_PAGES[0][0], service, send, draft)
    return send, draft


def rows(service: Service) -> dict[str, list[dict[str, Any]]]:
    """All that is stored of a service, by table."""
    found = {
        model._meta.label: list(rows_of(model, service).order_by("pk").values())
        for model in apps.get_models()
        if personal_of(model).service
    }
    return found | {"sms.Service": list(Service.objects.filter(pk=service.pk).values())}


def _links() -> list[tuple[Any, Any, str]]:
    found = []
    for model in apps.get_models():
        for field in model._meta.fields:
            if (
                not personal_of(model).service
                or not field.is_relation
                or field.name == personal_of(model).service
            ):
                continue
            path = "" if field.related_model is Service else personal_of(field.related_model).service
            if path or field.related_model is Service:
                found.append((model, field, path))
    return found


LINKS = _links()


class FormFields(HTMLParser):
    """The fields of a page's forms that post, with what stands in them: a list of dicts, one for each form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.choices: set[str] = set()  # what is chosen of a list
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.forms[-1][name] = value
        elif tag in ("select", "textarea") and name:
            self.forms[-1].setdefault(name, "")
            if tag == "select":
                self.choices.add(name)
            self._select, self._area = (name, "") if tag == "select" else ("", name)
        elif tag == "option" and self._select and "selected" in given:
            self.forms[-1][self._select] = value

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area and self.forms:
            self.forms[-1][self._area] += data
