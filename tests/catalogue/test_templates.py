"""Templates: versions, placeholders, and what a send keeps; senders by country; smartlinks."""

import io

import pytest
from django.utils import timezone

from sms.audiences.files import Limits, read, read_pasted
from sms.catalogue import placeholder_rules, policy_groups, senders, template_users, templates
from sms.catalogue.placeholder_rules import Placeholder
from sms.catalogue.templates import TemplateError, Wording
from sms.compose import checks
from sms.compose.errors import ComposeError
from sms.models import (
    AuditEvent,
    ContactPolicyGroup,
    Draft,
    PolicyConnection,
    Registration,
    Sender,
    SenderKind,
    Smartlink,
    VersionState,
)
from sms.sends import plan
from tests.sandbox.running import sandbox
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service, an_order

pytestmark = pytest.mark.django_db


def pasted(text: str):
    return read_pasted(text, country="GB", limits=Limits())


def test_a_send_keeps_the_version_it_used_and_one_is_published_per_language():
    service = a_service()
    made = templates.create(service, "hello", Wording("Hello"), by=BY)
    first = templates.published(made)
    send = a_send(service, content="", template=made)
    draft = templates.save_draft(made, Wording("Hello again"), by=BY)
    assert templates.published(made) == first  # nobody uses a draft
    templates.publish(draft, by=BY)
    first.refresh_from_db()
    made.refresh_from_db()
    assert (first.state, first.text) == (VersionState.RETIRED, "Hello")
    assert made.text == "Hello again"
    assert send.template_version == first
    assert a_send(service, content="", template=made).template_version == draft
    with pytest.raises(TemplateError, match="Only a draft"):
        templates.publish(first, by=BY)


def test_a_language_is_sent_in_its_own_wording_and_a_missing_one_is_named():
    service = a_service()
    made = templates.create(service, "hello", Wording("Hello"), by=BY)
    templates.publish(templates.save_draft(made, Wording("Hallo", language="de"), by=BY), by=BY)
    assert a_send(service, content="", template=made, language="de").text == "Hallo"
    with pytest.raises(ComposeError, match="nothing published in “fr”"):
        a_send(service, content="", template=made, language="fr")


def test_fallbacks_fill_and_values_that_do_not_fit_are_rejects():
    service = a_service()
    placeholders = [Placeholder("name", fallback="friend"), Placeholder("n", "number", max_length=3)]
    made = templates.create(service, "hello", Wording("Hi $(name) $(n)", placeholders=placeholders), by=BY)
    audience = read(
        io.BytesIO(b"number,n\n07700900123,7\n07700900124,x\n07700900125,1234\n"),
        name="a.csv",
        country="GB",
        limits=Limits(),
    )
    checked = checks.check(an_order(service, audience=audience, content="", template=made))
    assert [line.text for line in checked.lines] == ["Hi friend 7"]
    assert [one.reason for one in checked.rejects] == [
        "$(n) takes a number, not “x”.",
        "$(n) has 4 characters; 3 are allowed.",
    ]


@pytest.mark.parametrize("text", ["Hi {{x}}", "Hi %x%", "Hi ${x}"])
def test_unknown_syntax_is_refused(text):
    with pytest.raises(TemplateError, match=r"Write placeholders like \$\(x\)"):
        templates.create(a_service(), "hello", Wording(text), by=BY)


def test_a_duplicate_name_is_refused():
    service = a_service()
    templates.create(service, "hello", Wording("Hi"), by=BY)
    with pytest.raises(TemplateError, match="already"):
        templates.create(service, "hello", Wording("Hi"), by=BY)


def test_a_change_of_placeholders_names_what_and_who():
    service = a_service()
    made = templates.create(service, "hello", Wording("Hi $(name)"), by=BY)
    Draft.objects.create(service=service, template=made)
    draft = templates.save_draft(
        made, Wording("Hi $(first) $(x)", placeholders=[Placeholder("x", fallback="y")]), by=BY
    )
    change = template_users.placeholder_difference(templates.published(made), draft)
    assert (change.added, change.removed) == (["first"], ["name"])
    assert template_users.users_of(made).drafts_count == 1


def test_worst_case_counts_the_longest_values():
    made = templates.create(
        a_service(), "hello", Wording("Hi $(name)", placeholders=[Placeholder("name", max_length=158)]), by=BY
    )
    version = templates.published(made)
    places = placeholder_rules.placeholders_of(version)
    assert placeholder_rules.worst_case(version.text, places).length.count == 2


def test_a_provider_template_stays_the_one_that_was_chosen():
    service, provider = a_service(), Provider()
    made = templates.create(service, "theirs", Wording(provider_id="AAA"), by=BY)
    a_send(service, content="", template=made)
    templates.publish(templates.save_draft(made, Wording(provider_id="BBB"), by=BY), by=BY)
    provider.dispatch()
    assert provider.bodies[0]["content" if "content" in provider.bodies[0] else "template"]["id"] == "AAA"


def test_an_edit_in_the_admin_is_a_version():
    service = a_service()
    made = templates.create(service, "hello", Wording("Hi"), by=BY)
    made.text = "Ho"
    made.save()
    templates.adopt(made, by=BY)
    templates.adopt(made, by=BY)
    assert [one.text for one in made.versions.all()] == ["Ho", "Hi"]


def test_smartlinks_go_into_the_request_and_unknown_ones_are_named():
    service, provider = a_service(), Provider()
    Smartlink.objects.create(service=service, name="App", smartlink_id=7, validity=60)
    a_send(service, content="See {{smartlink_7}}")
    provider.dispatch()
    (one,) = provider.bodies[0]["smartlinks"]
    assert [str(value) for value in one.values()] == ["7", "60"]
    with pytest.raises(ComposeError, match="smartlink_8"):
        a_send(service, content="See {{smartlink_8}}")


# --- senders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "address", "more", "country", "level"),
    [
        (SenderKind.ALPHANUMERIC, "SHOP", {}, "GB", "fine"),
        (SenderKind.ALPHANUMERIC, "SHOP", {}, "US", "refused"),
        (SenderKind.ALPHANUMERIC, "SHOP", {}, "CA", "refused"),
        (SenderKind.ALPHANUMERIC, "SHOP", {}, "IN", "warning"),
        (SenderKind.ALPHANUMERIC, "SHOP", {"countries": "GB, IE"}, "FR", "refused"),
        (SenderKind.SHORT_CODE, "72345", {}, "US", "fine"),
        (SenderKind.LONG_CODE, "447700900000", {}, "US", "refused"),
        (SenderKind.LONG_CODE, "447700900000", {}, "FR", "warning"),
        (SenderKind.LONG_CODE, "447700900000", {}, "GB", "fine"),
        (SenderKind.LONG_CODE, "12025550123", {}, "US", "warning"),
        (SenderKind.LONG_CODE, "12025550123", {"registration": Registration.TEN_DLC}, "US", "fine"),
        (SenderKind.LONG_CODE, "12025550123", {"registration": Registration.TEN_DLC}, "CA", "warning"),
        (SenderKind.LONG_CODE, "18005550123", {"registration": Registration.TOLL_FREE}, "CA", "fine"),
    ],
)
def test_a_sender_is_judged_by_country(kind, address, more, country, level):
    verdict = senders.judge(Sender(address=address, kind=kind, **more), country)
    assert verdict.level == level
    assert bool(verdict.text) == (level != "fine")


def test_refused_destinations_are_rejects_and_doubtful_ones_are_said():
    service = a_service()
    checked = checks.check(an_order(service, audience=pasted("+447700900123\n+12025550123")))
    assert [line.msisdn for line in checked.lines] == ["+447700900123"]
    assert checked.rejects[0].code == "sender_refused"
    with pytest.raises(ComposeError, match="United States refuse") as refused:
        checks.check(an_order(service, audience=pasted("+12025550123")))
    assert refused.value.problems[0].field == "sender"
    long_code = Sender.objects.create(service=service, address="447700900000", kind=SenderKind.LONG_CODE)
    order = an_order(service, sender=long_code, audience=pasted("+33612345678"))
    abroad = plan.build_plan(order, now=timezone.now(), public_url="https://desk.example")
    assert any(one.detail.startswith("1 message to France") for one in abroad.cautions)


# --- contact policy -----------------------------------------------------------------------------------------------------


def test_groups_and_consent_come_from_the_sandbox_and_numbers_stay_out_of_addresses_and_audit():
    service = a_service()
    with sandbox(profile_key="secret") as running:
        connection = PolicyConnection.objects.create(
            service=service, base_url=running.url, profile_key="secret"
        )
        policy = policy_groups.policy_of(service)
        listed = policy_groups.groups(policy)
        assert "demo-marketing" in {one.group_id for one in listed}
        group = ContactPolicyGroup.objects.create(service=service, name="m", group_id="demo-marketing")
        said = policy_groups.look_up(policy, group, "+447700900123", by=BY)
        assert said in policy_groups.ANSWERS.values()
        nowhere = ContactPolicyGroup.objects.create(service=service, name="n", group_id="nowhere/x")
        assert "does not know" in policy_groups.look_up(policy, nowhere, "+447700900123", by=BY)
        connection.profile_key = "wrong"
        connection.save()
        with pytest.raises(policy_groups.PolicyError, match="refused the profile key"):
            policy_groups.groups(policy_groups.policy_of(service))
    assert "7700900123" not in str(list(AuditEvent.objects.values_list("details", flat=True)))
    with pytest.raises(policy_groups.PolicyError, match="No server answered"):
        policy_groups.groups(policy)
