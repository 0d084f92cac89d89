"""The table of send options in `docs/webex-connect.md`, made from the code of each way in."""

from django.core.management import load_command_class

from portal.forms.compose import DraftForm, typed_in
from sms.admin.sending import SendForm
from sms.api.drop_in.order import PARAMETERS
from sms.api.v1.send_body import SendBody
from sms.models import SendOptions

TITLE = "Send options, by way in"
BEFORE = """What a send can ask for beyond its text and its recipients. Each option can be set by every way in. It is a column of
`SendOptions` (`sms/models/send_options.py`), which says its limits and its meaning once. The table is made from the code; a test
compares the two."""
AFTER = """- **Names of the catalogue**: `policy_group` is a group's name and `link_domain` a domain's host; `/v2/messages` also finds them
  as Webex Connect calls them.
- **`textdesk`** is an object of ours in the provider's body. It takes what the provider has no word for, written as in
  `/api/v1/sends`.
- **`validity` in `/v2/messages`** reaches Webex Connect as it is. It counts from the request or its `sendAt`, as there, so a message
  that waits here for longer is not posted any more.
- **`requestedReceipts` in `/v2/messages`** is applied when receipts are passed on to `notifyUrl`. Webex Connect is asked for all
  the usual ones, so that the state of each message is known.
- **`smartlinks[].validity` in `/v2/messages`** is given for each link and comes before `smartlink_validity`.
- **`notify_url`** is the address that Textdesk passes receipts on to. Webex Connect always gets the service's own receipt
  address, and signs in there with `notify_url_auth_id`. If it does not know that id, it holds the receipts back.
- **`expires_at` and `validity`** exclude each other, as they do on the provider's wire.

A **correlation id for each message** comes from a column headed `correlation id` or `correlationId` in a file or a pasted list
(compose page, admin, `manage.py send`, `/api/v1/sends`), from `recipients[].correlation_id` of `/api/v1/sends`, or from
`to[].correlationId` of `/v2/messages`. It has up to 200 characters and comes back in events, messages and the download of a send.
Webex Connect gets Textdesk's own."""
COLUMNS = (
    "option",
    "compose page",
    "`/api/v1/sends`",
    "`/v2/messages`",
    "admin, *Add send*",
    "`manage.py send`",
)


def rows() -> list[tuple[str, ...]]:
    """Of each option, what it is called in each way in."""
    page, admin, body = DraftForm.base_fields, SendForm.base_fields, SendBody().get_fields()
    parser = load_command_class("sms", "send").create_parser("manage.py", "send")
    flags = {action.dest: action.option_strings[0] for action in reversed(parser._actions)}
    return [
        (
            f"`{name}`",
            ", ".join(str(page[one].label) for one in typed_in(name) if one in page),
            f"`{name}`" if name in body else "",
            f"`{PARAMETERS[name]}`" if name in PARAMETERS else "",
            str(admin[name].label) if name in admin else "",
            f"`{flags[name]}`" if name in flags else "",
        )
        for name in (field.name for field in SendOptions.fields())
    ]
