"""The steps from an empty installation to messages that people rely on, in their order.

docs/going-live.md tells the same in English; a test compares them. Each has its check in `portal.going_live.checks`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Step:
    key: str  # of its check
    title: "StrOrPromise"  # what is true when it is done
    do: "StrOrPromise"
    wait: "StrOrPromise" = ""  # how long others take, where it is not at once
    page: str = ""  # where in Textdesk, by its URL name, with the words of the link
    action: "StrOrPromise" = ""
    holds: tuple[
        str, ...
    ] = ()  # what it was checked for, of `Evidence.holds_for`: another one asks for a new check
    confirm: "StrOrPromise" = ""  # what a person states by their name, where Textdesk cannot see it


@dataclass(frozen=True, slots=True)
class Part:
    title: "StrOrPromise"
    steps: tuple[Step, ...]


PARTS = (
    Part(
        _("Ask early"),
        (
            Step(
                key="allow_list",
                title=_("Your tenant lets this host in"),
                do=_(
                    "If your tenant has an IP allow-list, its owner adds the address that this host calls from "
                    "(Tenant Settings). A host that is not on it is refused with code 7127 or 7010. Messages "
                    "that are accepted prove that it is let in."
                ),
                wait=_("as long as your network team and the tenant's owner take"),
                holds=("provider",),
            ),
            Step(
                key="policy_enabled",
                title=_("Contact Policy is enabled"),
                do=_(
                    "Ask Webex Connect's support whether Contact Policy is enabled for your tenant. Without it, "
                    "messages that name a policy group fail with code 9000."
                ),
                wait=_("days, by support"),
                page="policy_groups",
                action=_("Open the policy groups"),
                holds=("provider",),
                confirm=_("Support said that Contact Policy is enabled for our tenant."),
            ),
            Step(
                key="links_enabled",
                title=_("Link shortening is enabled"),
                do=_(
                    "Ask Webex Connect's support to enable link shortening for your tenant, and register your "
                    "short-link domain there (Tenant Settings, Custom Domain Setup for Link Shortening)."
                ),
                wait=_("days, by support"),
                page="link_domains",
                action=_("Open the domains"),
                holds=("provider",),
                confirm=_("Link shortening is enabled, and our domain is registered."),
            ),
            Step(
                key="cname",
                title=_("The short-link domain leads to your region"),
                do=_(
                    "Your IT team makes the record that the domain's page shows: a CNAME to the target of your "
                    "region, or an A record for Azure (US)."
                ),
                wait=_("a day for DNS, longer where the domain has to be bought"),
                page="link_domains",
                action=_("Open the domains"),
                holds=("provider",),
            ),
            Step(
                key="certificate",
                title=_("The short-link domain has its certificate"),
                do=_(
                    "Send the certificate of the domain to Webex Connect's support, who install it and write "
                    "when it is ready. Then press Check now on the domain's page. Without it links open by http "
                    "only, which browsers warn of."
                ),
                wait=_("days, by support; leave time to test links on a phone"),
                page="link_domains",
                action=_("Open the domains"),
                holds=("provider",),
            ),
        ),
    ),
    Part(
        _("This installation"),
        (
            Step(
                key="public_address",
                title=_("Textdesk has a public https address"),
                do=_(
                    "Put a proxy with a certificate in front of Textdesk, and set PUBLIC_URL to its https "
                    "address. Webex Connect posts receipts and incoming SMS there."
                ),
            ),
            Step(
                key="firewall",
                title=_("Your firewall lets Webex Connect in"),
                do=_(
                    "Let requests to /receipts/ and /inbound/ in from the addresses of your region. A receipt "
                    "that arrives proves it."
                ),
                wait=_("as long as your network team takes"),
                holds=(
                    "provider",
                    "public",
                ),
            ),
            Step(
                key="admin",
                title=_("There is an admin of your own"),
                do=_(
                    "Start manage.py up without --demo: it prints a code for the first admin. Or run manage.py "
                    "createsuperuser. On a demo, invite your own address as an admin under People."
                ),
                page="people",
                action=_("Open People"),
            ),
            Step(
                key="backup",
                title=_("A backup was restored once"),
                do=_(
                    "Back up the database every day, and keep FIELD_KEYS, AUDIT_KEYS and SECRET_KEY apart from "
                    "it: without them stored credentials cannot be opened. Restore a backup once on another "
                    "machine."
                ),
                confirm=_(
                    "A backup of the database was restored on another machine, and the keys are stored apart "
                    "from it."
                ),
            ),
        ),
    ),
    Part(
        _("The connection"),
        (
            Step(
                key="region",
                title=_("Webex Connect answers at your region"),
                do=_(
                    "Take the region from the address of your tenant: uk in tenant.uk.webexconnect.io is AWS "
                    "London. A tenant at imiconnect keeps its older host: type it as the base URL. Then press "
                    "Test the connection."
                ),
                page="settings",
                action=_("Open the connection"),
                holds=("provider",),
                confirm=_("Webex Connect's support gave us this address."),
            ),
            Step(
                key="credentials",
                title=_("Webex Connect knows the service"),
                do=_(
                    "In Webex Connect open Services, your service, API. Copy the service key, or choose JWT and "
                    "copy service ID and service secret. Press Test the connection."
                ),
                page="settings",
                action=_("Open the connection"),
                holds=("provider",),
            ),
            Step(
                key="service_live",
                title=_("The service is live in Webex Connect"),
                do=_(
                    "A service sends only while it is live: make it live on its page in Webex Connect. A "
                    "message that is accepted proves it."
                ),
                page="settings",
                action=_("Send a test message"),
                holds=("provider",),
            ),
            Step(
                key="demo_ended",
                title=_("Nothing of the demo is left"),
                do=_(
                    "Connecting a real region ends the demo: its people are signed out, their API keys are "
                    "revoked, and its senders, policy group and link domain are archived. If something came "
                    "back, press End the demo."
                ),
            ),
            Step(
                key="older_keys",
                title=_("API keys and callbacks of the time before were looked at"),
                do=_(
                    "A key that was made while the sandbox was connected sends real SMS now, and a callback "
                    "hears of real messages. Revoke the keys that were given out for trying, and remove the "
                    "callbacks."
                ),
                page="api_keys",
                action=_("Open the API keys"),
                holds=("provider",),
                confirm=_("The keys made before may send real SMS, and the callbacks may hear of them."),
            ),
            Step(
                key="sender",
                title=_("A sender is in the catalogue"),
                do=_(
                    "Add the numbers and names that are provisioned for your tenant. Webex Connect refuses "
                    "others with code 7101."
                ),
                wait=_("weeks for a short code, a US long code or a toll-free number"),
                page="senders",
                action=_("Open the senders"),
            ),
        ),
    ),
    Part(
        _("A message and its receipts"),
        (
            Step(
                key="delivered",
                title=_("A test message was delivered"),
                do=_(
                    "Send a test message to your own phone. Its page shows Accepted, Submitted and Delivered. "
                    "Where it failed, its code says what to do."
                ),
                page="settings",
                action=_("Send a test message"),
                holds=("provider",),
            ),
            Step(
                key="probe",
                title=_("What is not documented was tried out"),
                do=_(
                    "Webex Connect does not say everything about your tenant: how it takes several recipients, "
                    "which link options it wants, how long a text may be. The tenant probe finds it out with "
                    "your phone and at most twelve messages, on its page or by manage.py probe. What is not "
                    "proved is assumed."
                ),
                wait=_("half an hour"),
                page="tenant_probe",
                action=_("Open the tenant probe"),
                holds=("provider",),
                confirm=_("We have read what is assumed of our tenant, and leave it so."),
            ),
            Step(
                key="receipts",
                title=_("Receipts of messages arrive"),
                do=_(
                    "Every message carries the address in messages as its notifyUrl, so there is nothing to set "
                    "up. If a message stays Accepted, no receipt reaches Textdesk: look at the address and the "
                    "firewall. If receipts were refused, the Receipts page says why, and can take them in."
                ),
                page="receipts_page",
                action=_("See the receipts"),
                holds=(
                    "provider",
                    "public",
                    "token",
                ),
            ),
            Step(
                key="webhook",
                title=_("The outbound webhook is saved"),
                do=_(
                    "In Webex Connect open Assets, Integrations, Outbound Webhook, choose your service, paste "
                    "the address for webhooks, and tick Submitted, Delivered, Undelivered, Failed and Clicked: "
                    "none is ticked at first. Webex Connect looks at the address when you save it. If you give "
                    "it a hub secret, type that under Signature secret too: it is tried first, and nothing is "
                    "refused until one signature fits."
                ),
                page="receipts_page",
                action=_("See the addresses"),
                holds=(
                    "provider",
                    "public",
                    "webhook",
                ),
                confirm=_("We do not use an outbound webhook: receipts come by notifyUrl only."),
            ),
            Step(
                key="incoming",
                title=_("A STOP sent by SMS arrives"),
                do=_(
                    "In Webex Connect add a webhook for incoming messages of your number, with the address for "
                    "incoming SMS. Then text STOP from your own phone to your number. It appears under "
                    "Opt-outs; lift it again there."
                ),
                page="opt_outs",
                action=_("Open the opt-outs"),
                holds=(
                    "provider",
                    "public",
                    "webhook",
                ),
                confirm=_("Our senders take no replies, and texts name another way to opt out."),
            ),
        ),
    ),
    Part(
        _("People"),
        (
            Step(
                key="team",
                title=_("The right people can sign in"),
                do=_(
                    "Invite colleagues and give them roles: composers send, approvers approve, admins keep "
                    "catalogue and connection, auditors read. At least one more person should be able to help "
                    "when you are away."
                ),
                page="people",
                action=_("Open People"),
                confirm=_("The people in the list are the ones who should be there."),
            ),
        ),
    ),
)
STEPS = {step.key: step for part in PARTS for step in part.steps}
