"""Pages that the search finds by words: what each calls itself, and what else people call what is there, without the words of the title.

Every page that opens without naming a thing stands here; tests/portal/test_search.py walks the addresses.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext_lazy

from sms.models import Service

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class IndexedPage:
    """`name` is that of its address; with `alone` the page belongs to no service."""

    name: str
    title: "StrOrPromise"
    words: "StrOrPromise"
    alone: bool = False
    sandbox: bool = False  # only where one is connected

    def address(self, service: Service) -> str:
        return reverse(self.name, args=() if self.alone else (service.slug,))


PAGES = (
    IndexedPage("home", gettext_lazy("Home"), gettext_lazy("start overview dashboard today")),
    IndexedPage(
        "compose",
        gettext_lazy("Compose"),
        gettext_lazy("write new send message sms text recipients numbers paste upload file schedule"),
    ),
    IndexedPage("drafts", gettext_lazy("Drafts"), gettext_lazy("unfinished unsent saved writing")),
    IndexedPage(
        "sends",
        gettext_lazy("Sends"),
        gettext_lazy("sent jobs campaigns batches history progress scheduled cancelled labels tests"),
    ),
    IndexedPage(
        "calendar",
        gettext_lazy("Upcoming sends"),
        gettext_lazy("calendar scheduled planned forecast month week"),
    ),
    IndexedPage(
        "approvals", gettext_lazy("Approvals"), gettext_lazy("approve reject four eyes waiting decisions")
    ),
    IndexedPage(
        "messages",
        gettext_lazy("Messages"),
        gettext_lazy("find number correlation id provider id recipient delivered failed state"),
    ),
    IndexedPage(
        "replies",
        gettext_lazy("Replies"),
        gettext_lazy("inbox answers conversations incoming inbound sms unread"),
    ),
    IndexedPage(
        "keywords", gettext_lazy("Keywords"), gettext_lazy("replies automatic answer label inbound words")
    ),
    IndexedPage("keyword_new", gettext_lazy("New keyword"), gettext_lazy("add automatic answer replies")),
    IndexedPage(
        "recurring",
        gettext_lazy("Recurring sends"),
        gettext_lazy("repeat every day weekly monthly rhythm again schedule"),
    ),
    IndexedPage(
        "holidays", gettext_lazy("Holidays"), gettext_lazy("recurring days off bank holidays skip calendar")
    ),
    IndexedPage(
        "handsets",
        gettext_lazy("Handsets"),
        gettext_lazy("phones sandbox wall pretend what people see try out"),
        sandbox=True,
    ),
    IndexedPage(
        "opt_outs",
        gettext_lazy("Opt-outs"),
        gettext_lazy("stop unsubscribe refuse blocked suppression list opt in lift keywords export"),
    ),
    IndexedPage(
        "audiences",
        gettext_lazy("Audiences"),
        gettext_lazy("saved lists recipients contacts numbers seed list"),
    ),
    IndexedPage(
        "audience_new",
        gettext_lazy("New audience"),
        gettext_lazy("upload list recipients contacts file csv workbook"),
    ),
    IndexedPage(
        "receipts_page",
        gettext_lazy("Receipts"),
        gettext_lazy(
            "delivery reports addresses webhook missing gaps secret signature rotate refused inbound import"
        ),
    ),
    IndexedPage(
        "receipts_replay", gettext_lazy("Apply the last 24 hours again"), gettext_lazy("receipts replay")
    ),
    IndexedPage(
        "reports",
        gettext_lazy("Reports"),
        gettext_lazy(
            "figures statistics delivered failed clicks cost segments export excel workbook csv network country label"
        ),
    ),
    IndexedPage(
        "service_levels",
        gettext_lazy("Service levels"),
        gettext_lazy("reports delivery time latency sla percent"),
    ),
    IndexedPage(
        "report_files", gettext_lazy("Report files"), gettext_lazy("downloads exports csv excel workbook")
    ),
    IndexedPage(
        "report_schedules",
        gettext_lazy("Reports by e-mail"),
        gettext_lazy("mail scheduled weekly monthly subscription"),
    ),
    IndexedPage(
        "catalogue",
        gettext_lazy("Catalogue"),
        gettext_lazy("senders templates policy groups smartlinks domains prices"),
    ),
    IndexedPage(
        "senders",
        gettext_lazy("Senders"),
        gettext_lazy("sender id from number short code alphanumeric long code default paused"),
    ),
    IndexedPage(
        "sender_new", gettext_lazy("New sender"), gettext_lazy("add sender id from number short code")
    ),
    IndexedPage(
        "templates",
        gettext_lazy("Templates"),
        gettext_lazy("texts wording placeholders languages versions canned answers"),
    ),
    IndexedPage("template_new", gettext_lazy("New template"), gettext_lazy("add text wording placeholders")),
    IndexedPage(
        "policy_groups",
        gettext_lazy("Contact-policy groups"),
        gettext_lazy("consent frequency cap categories"),
    ),
    IndexedPage(
        "policy_group_new",
        gettext_lazy("New policy group"),
        gettext_lazy("add contact policy consent frequency cap"),
    ),
    IndexedPage(
        "policy_connection",
        gettext_lazy("Groups at Webex Connect"),
        gettext_lazy("contact policy profile lookup connection"),
    ),
    IndexedPage("smartlinks", gettext_lazy("Smartlinks"), gettext_lazy("links urls shortened tracking")),
    IndexedPage("smartlink_new", gettext_lazy("New smartlink"), gettext_lazy("add link url")),
    IndexedPage(
        "link_domains",
        gettext_lazy("Short-link domains"),
        gettext_lazy("links host dns certificate shortened url go"),
    ),
    IndexedPage("link_domain_new", gettext_lazy("New short-link domain"), gettext_lazy("add host dns link")),
    IndexedPage("prices", gettext_lazy("Prices"), gettext_lazy("cost price list currency country segments")),
    IndexedPage(
        "callbacks_page",
        gettext_lazy("Callbacks"),
        gettext_lazy("settings webhooks endpoints events partners signature retry"),
    ),
    IndexedPage(
        "api_keys",
        gettext_lazy("API keys"),
        gettext_lazy("settings programs partners token scopes test mode rate revoke"),
    ),
    IndexedPage(
        "audit_list", gettext_lazy("Audit"), gettext_lazy("log trail history who did what verify export")
    ),
    IndexedPage(
        "settings",
        gettext_lazy("Settings"),
        gettext_lazy("connection webex connect service key jwt region api address test message name"),
    ),
    IndexedPage(
        "going_live", gettext_lazy("Going live"), gettext_lazy("settings demo end steps checklist production")
    ),
    IndexedPage(
        "going_live_record",
        gettext_lazy("Record of going live"),
        gettext_lazy("settings evidence steps checklist"),
    ),
    IndexedPage(
        "settings_limits",
        gettext_lazy("Limits and hours"),
        gettext_lazy(
            "settings quiet hours night time zone rate messages per second speed throughput country default burst content check"
        ),
    ),
    IndexedPage(
        "settings_caps",
        gettext_lazy("Spend caps"),
        gettext_lazy("settings budget daily limit segments money per day per key per country per number"),
    ),
    IndexedPage(
        "tenant_probe",
        gettext_lazy("Tenant probe"),
        gettext_lazy("settings questions switches prove webex connect behaviour"),
    ),
    IndexedPage(
        "settings_approval",
        gettext_lazy("Approval"),
        gettext_lazy("settings four eyes approvers rules second person size first send"),
    ),
    IndexedPage(
        "waiting_changes",
        gettext_lazy("Waiting changes"),
        gettext_lazy("settings held back confirm second admin decline"),
    ),
    IndexedPage(
        "settings_retention",
        gettext_lazy("Retention"),
        gettext_lazy("settings delete after days keep archive storage old messages"),
    ),
    IndexedPage(
        "personal_data",
        gettext_lazy("Personal data"),
        gettext_lazy("settings erase forget disclose access request gdpr privacy right certificate"),
    ),
    IndexedPage(
        "people",
        gettext_lazy("People"),
        gettext_lazy(
            "settings team colleagues users roles invite invitation composer approver admin auditor member"
        ),
    ),
    IndexedPage(
        "settings_second_factor",
        gettext_lazy("Second factor"),
        gettext_lazy("settings two factor 2fa mfa required rule passkey authenticator grace"),
    ),
    IndexedPage(
        "settings_pause", gettext_lazy("Pause everything"), gettext_lazy("settings hold halt sending")
    ),
    IndexedPage(
        "settings_stop",
        gettext_lazy("Stop everything"),
        gettext_lazy("settings emergency cancel halt sending"),
    ),
    IndexedPage(
        "shortcuts",
        gettext_lazy("Keyboard shortcuts"),
        gettext_lazy("keys hotkeys help single-key switch off"),
    ),
    IndexedPage(
        "own_details",
        gettext_lazy("Your details"),
        gettext_lazy("account own number time zone profile"),
        alone=True,
    ),
    IndexedPage(
        "account_change_password", gettext_lazy("Change password"), gettext_lazy("account own"), alone=True
    ),
    IndexedPage(
        "mfa_index",
        gettext_lazy("Your second factor"),
        gettext_lazy("account own two factor 2fa mfa passkey authenticator recovery codes"),
        alone=True,
    ),
    IndexedPage(
        "own_notices",
        gettext_lazy("What you are told"),
        gettext_lazy("account own notices mail digest choices"),
        alone=True,
    ),
    IndexedPage(
        "notices", gettext_lazy("Notices"), gettext_lazy("told bell unread news mentions"), alone=True
    ),
    IndexedPage(
        "own_sessions",
        gettext_lazy("Where you are signed in"),
        gettext_lazy("account own sessions devices sign out"),
        alone=True,
    ),
    IndexedPage(
        "api_docs",
        gettext_lazy("Partner API"),
        gettext_lazy("documentation developers programs reference openapi rest"),
        alone=True,
    ),
)
