"""A change of what a thing is known by says from what to what, on the page and in the admin alike."""

import pytest
from django import forms
from django.contrib import admin
from django.urls import reverse

from portal.models import User
from sms.catalogue import api_keys
from sms.models import (
    Actor,
    ApiKey,
    ApprovalRules,
    AuditEvent,
    CallbackEndpoint,
    ContactPolicyGroup,
    MessageTemplate,
    Region,
    Sender,
    ShortLinkDomain,
    Smartlink,
)
from tests.support.people import a_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return a_cast(waiting=True)


def recorded(act: str) -> dict:
    return AuditEvent.objects.filter(act=act).order_by("-pk")[0].details


def typed_again(form, **changed) -> dict:
    """What a browser posts for a form with some fields changed."""
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in (values | changed).items() if value not in (None, False)}


def test_a_senders_address(cast):
    sender = Sender.objects.create(service=cast.service, kind="alphanumeric", address="FIRST")
    at = reverse("sender_edit", args=[cast.service.slug, sender.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["form"], address="BANKALERT"))
    said = recorded("sender.changed")
    assert (said["before"]["address"], said["after"]["address"]) == ("FIRST", "BANKALERT")


def test_a_senders_address_in_the_admin(cast):
    sender = Sender.objects.create(service=cast.service, kind="alphanumeric", address="FIRST")
    at = reverse("admin:sms_sender_change", args=[sender.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["adminform"].form, address="BANKALERT"))
    said = recorded("sender.changed")
    assert said["fields"] == ["address"]
    assert (said["before"], said["after"]) == ({"address": "FIRST"}, {"address": "BANKALERT"})


def test_a_domain_and_its_region(cast):
    one, other = Region.objects.order_by("pk")[:2]
    domain = ShortLinkDomain.objects.create(service=cast.service, host="go.example.com", region=one)
    at = reverse("admin:sms_shortlinkdomain_change", args=[domain.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(
        at, typed_again(page.context["adminform"].form, host="at.example.com", region=other.pk)
    )
    said = recorded("domain.changed")
    assert (said["before"], said["after"]) == (
        {"host": "go.example.com", "region": one.name},
        {"host": "at.example.com", "region": other.name},
    )


def test_the_address_that_a_service_speaks_to_but_not_its_key(cast):
    at = reverse("settings", args=[cast.service.slug])
    page = cast["admin"].get(at)
    before = cast.service.base_url
    typed = typed_again(page.context["form"], base_url="https://api.example.com/", api_key="a-new-key")
    cast["admin"].post(at, typed)
    said = recorded("service.changed")
    assert (said["before"]["base_url"], said["after"]["base_url"]) == (before, "https://api.example.com")
    assert "api_key" in said["fields"]
    assert "a-new-key" not in str(said)


def test_a_number_in_a_name_is_masked(cast):
    group = cast.service.policy_groups.create(name="News", group_id="g1")
    at = reverse("policy_group_edit", args=[cast.service.slug, group.pk])
    page = cast["admin"].get(at)
    cast["admin"].post(at, typed_again(page.context["form"], name="News of +447700900123"))
    said = recorded("policy_group.changed")
    assert said["before"]["name"] == "News"
    assert "447700900123" not in str(said)


# --- every field of every form that changes the catalogue or the settings -----------------------------------------------
# values that a field of their type cannot have by chance; what the audit must not hold
EXAMPLES = {
    "kind": "long_code",
    "address": "447700900200",
    "email": "other@example.com",
    "countries": "GB, IE",
    "host": "at.example.com",
    "base_url": "https://api.example.com",
    "jwt_secret": "c2VjcmV0",
    "quiet_hours": "21:00-08:00",
    "hours": "09:00-17:00",
    "default_country": "DE",
    "time_zone": "Asia/Tokyo",
    "slug": "another",
    "cname": "",
    "a_record": "192.0.2.9",
    "link_tag1": "tagA",
    "link_tag2": "tagB",
    "text": "",  # a template has a text or an id of the provider's
    "rate": "7",
    "keep_bodies": "41",
    "keep_receipts": "42",
    "keep_numbers": "43",
    "keep_messages": "44",
}
HIDDEN = {"note", "description", "text", "api_key", "jwt_secret", "receipt_secret", "profile_key"}
PAGES = ("sender_edit", "policy_group_edit", "smartlink_edit", "link_domain_edit", "policy_connection")
SETTINGS = ("settings", "settings_limits", "settings_retention", "settings_approval", "tenant_probe")
ADMINS = [
    *(Region, ApprovalRules, ApiKey, Sender, MessageTemplate, Smartlink, ContactPolicyGroup),
    *(ShortLinkDomain, User),
]


@pytest.fixture
def things(cast) -> dict[type, object]:
    service = cast.service
    by = Actor.system()
    of_service = {
        Sender: {"kind": "alphanumeric", "address": "FIRST"},
        ContactPolicyGroup: {"name": "News", "group_id": "g1", "check_consent": True},
        Smartlink: {"name": "Start", "smartlink_id": "1"},
        ShortLinkDomain: {"host": "go.example.com", "region": Region.objects.order_by("pk")[0]},
        MessageTemplate: {"name": "Hello", "text": "Hello"},
        ApprovalRules: {},
    }
    made = {model: model.objects.create(service=service, **said) for model, said in of_service.items()}
    service.jwt_service_id, service.jwt_secret, service.cap_currency = "svc", "c2VjcmV0", "GBP"
    service.save()
    made[ApiKey], _ = api_keys.make(service, name="shop", scopes=["send"], by=by)
    return made | {Region: Region.objects.get(key="uk"), User: cast.users["composer"]}


def another(bound) -> object:
    """A value that is not the one at first."""
    field, first = bound.field, bound.value()
    if bound.name in EXAMPLES:
        return EXAMPLES[bound.name]
    if isinstance(field, forms.ModelChoiceField):
        return field.queryset.exclude(pk=first).order_by("-pk").first().pk
    if isinstance(field, forms.BooleanField):
        return not first
    if isinstance(field, forms.ChoiceField):
        return next(str(key) for key, _ in field.choices if str(key) not in ("", str(first)))
    if isinstance(field, forms.IntegerField):
        return (first or field.min_value or 0) + 1
    return "another"


def walk(client, at: str, form_of, post_at: str = "", **more) -> None:
    """Post the form with every field changed, and see that the audit says it of each."""
    page = client.get(at)
    form = form_of(page.context)
    removing = {name for name in form.fields if name.startswith("remove_")}
    names = [name for name, field in form.fields.items() if not field.disabled and name not in removing]
    typed = {form[name].html_name: another(form[name]) for name in names}
    before = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    answer = client.post(post_at or at, {name: value for name, value in typed.items() if value} | more)
    wrong = form_of(answer.context).errors if answer.status_code != 302 else ""
    assert answer.status_code == 302, wrong
    rows = [row for row in AuditEvent.objects.filter(pk__gt=before) if "fields" in row.details]
    said = rows[-1].details
    unsaid = set(names) - set(said["fields"]) - {"email"}  # an address waits until its mailbox confirms it
    assert unsaid == set()
    for name in said["fields"]:
        if name in HIDDEN:
            assert (name in said["before"], said["after"][name]) == (False, "changed"), name
        else:
            assert name == "email" or said["before"][name] != said["after"][name], name


@pytest.mark.parametrize("page", PAGES)
def test_every_field_of_a_catalogue_page_says_from_what_to_what(cast, things, page):
    models = {
        "sender": Sender,
        "policy_group": ContactPolicyGroup,
        "smartlink": Smartlink,
        "link_domain": ShortLinkDomain,
    }
    model = models.get(page.removesuffix("_edit"))
    keys = [things[model].pk] if model else []
    walk(cast["admin"], reverse(page, args=[cast.service.slug, *keys]), lambda context: context["form"])


@pytest.mark.parametrize("page", SETTINGS)
def test_every_field_of_the_settings_says_from_what_to_what(cast, page):
    at = reverse(page, args=[cast.service.slug])
    if page == "tenant_probe":
        switches = reverse("tenant_probe_switches", args=[cast.service.slug])
        walk(cast["admin"], at, lambda context: context["switches"], switches)
    else:
        walk(cast["admin"], at, lambda context: context["form"])


@pytest.mark.parametrize("model", ADMINS, ids=lambda model: model.__name__)
def test_every_field_of_the_admin_says_from_what_to_what(cast, things, model):
    User.objects.filter(pk=cast.users["admin"].pk).update(is_superuser=True)
    Sender.objects.filter(pk=things[Sender].pk).update(
        active=False
    )  # so that it can become active, and the default
    at = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[things[model].pk])
    page = cast["admin"].get(at)
    inline = {}
    for formset in page.context["inline_admin_formsets"]:
        for form in (formset.formset.management_form, *formset.formset.initial_forms):
            inline |= {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    walk(cast["admin"], at, lambda context: context["adminform"].form, **inline)


def test_the_walk_knows_every_form_of_the_admin_that_changes_something(cast, rf):
    request = rf.get("/admin/")
    request.user = cast.users["admin"]
    request.user.is_superuser = True
    changing = {model for model, one in admin.site._registry.items() if one.has_change_permission(request)}
    other_ways = {
        model for model in changing if model.__name__ in ("Service", "SavedAudience", "Send", "OptOut")
    }
    assert changing - other_ways == set(ADMINS)


def test_an_endpoint_of_callbacks_says_where_it_leads_and_what_it_was(cast):
    endpoint = CallbackEndpoint.objects.create(
        service=cast.service, name="Shop", url="https://shop.example.com"
    )
    at = reverse("callback_change", args=[cast.service.slug, endpoint.pk])
    wanted = {"events": ["message.delivered"], "full_numbers": "on", "all_keys": "on", "batch_size": 1}
    cast["admin"].post(at, {"name": "Store"} | wanted)
    said = recorded("callback_endpoint.changed")
    assert said["before"] == {"name": "Shop", "events": [], "full_numbers": False}
    assert said["after"] == {"name": "Store", "events": ["message.delivered"], "full_numbers": True}
