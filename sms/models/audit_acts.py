"""Every act that the audit knows, with the words that pages show. A new act is one line here; recording another one raises.

`tests/domain/test_audit_acts.py` sees that each of these is recorded by some code. An act is named `<noun>.<what was done>`.
"""

ACTS: dict[str, str] = {
    # people at the door
    "user.signed_in": "Signed in",
    "user.sign_in_refused": "Sign-in refused",
    "user.signed_out": "Signed out",
    "user.password_changed": "Password changed",
    "user.second_factor_added": "Second factor set up",
    "user.second_factor_removed": "Second factor taken away",
    "user.first_admin": "First admin made",
    "user.added": "Person added in the admin",
    "user.changed": "Person changed in the admin",
    "user.deleted": "Person deleted in the admin",
    # people and roles of a service
    "person.invited": "Person invited",
    "person.invited_again": "Person invited again",
    "person.uninvited": "Invitation withdrawn",
    "person.joined": "Person joined",
    "person.roles_changed": "Roles changed",
    "person.removed": "Person removed",
    # keys and secrets
    "api_key.made": "API key made",
    "api_key.revoked": "API key revoked",
    "keys.rotated": "Stored secrets sealed with another key",
    # a service and its connection
    "service.connected": "Service connected",
    "service.added": "Service added in the admin",
    "service.changed": "Settings of the service changed",
    "service.deleted": "Service deleted in the admin",
    "service.tested": "Connection tested",
    "service.paused": "Service paused",
    "service.resumed": "Service resumed",
    "service.stopped": "Everything of the service stopped",
    "service.receipt_address_changed": "Receipt address changed",
    "service.receipt_address_retired": "Old receipt address retired",
    "approval.added": "Approval rules added in the admin",
    "approval.changed": "Approval rules changed",
    "approval.deleted": "Approval rules deleted in the admin",
    "region.added": "Region added",
    "region.changed": "Region changed",
    "region.deleted": "Region deleted",
    # the catalogue
    "sender.added": "Sender added",
    "sender.changed": "Sender changed",
    "sender.archived": "Sender archived",
    "sender.restored": "Sender taken back into use",
    "sender.deleted": "Sender deleted",
    "sender.paused": "Sender paused",
    "sender.resumed": "Sender resumed",
    "sender.stopped": "Everything of the sender stopped",
    "domain.added": "Short-link domain added",
    "domain.changed": "Short-link domain changed",
    "domain.deleted": "Short-link domain deleted",
    "domain.paused": "Short-link domain paused",
    "domain.resumed": "Short-link domain resumed",
    "domain.stopped": "Everything of the short-link domain stopped",
    "policy_group.added": "Policy group added",
    "policy_group.changed": "Policy group changed",
    "policy_group.archived": "Policy group archived",
    "policy_group.restored": "Policy group taken back into use",
    "policy_group.deleted": "Policy group deleted",
    "policy_group.connection_changed": "Contact Policy connection changed",
    "policy_group.looked_up": "Number looked up in a policy group",
    "smartlink.added": "Smartlink added",
    "smartlink.changed": "Smartlink changed",
    "smartlink.archived": "Smartlink archived",
    "smartlink.restored": "Smartlink taken back into use",
    "smartlink.deleted": "Smartlink deleted",
    "template.created": "Template created",
    "template.added": "Template added in the admin",
    "template.changed": "Template changed in the admin",
    "template.deleted": "Template deleted",
    "template.draft_saved": "Wording of a template saved",
    "template.published": "Wording of a template published",
    "template.version_retired": "Wording of a template retired",
    "template.archived": "Template archived",
    "template.restored": "Template taken back into use",
    # drafts and audiences
    "draft.created": "Draft begun",
    "draft.discarded": "Draft discarded",
    "audience.created": "Audience saved",
    "audience.replaced": "Rows of an audience replaced",
    "audience.renamed": "Audience renamed",
    "audience.archived": "Audience archived",
    "audience.brought_back": "Audience brought back",
    "audience.deleted": "Audience deleted",
    "audience.erased": "People of an audience erased",
    # sends
    "send.created": "Composed and committed",
    "send.cancelled": "Cancelled",
    "send.paused": "Paused",
    "send.resumed": "Resumed",
    "send.stage": "Next stage let go",
    # overrides of what is not confirmed
    "messages.send_again": "Sent again, though not confirmed",
    "messages.treat_as_sent": "Treated as sent",
    "messages.give_up": "Given up",
    # opt-outs
    "optout.added": "Opted out",
    "optout.lifted": "Opt-out lifted",
    # what left the desk as a file
    "audience.exported": "Audience exported",
    "audience.rejects_exported": "Rejected rows of an audience exported",
    "draft.rejects_exported": "Rejected rows of a draft exported",
    "send.rejects_exported": "Rejected rows of a send exported",
    "optout.exported": "Opt-outs exported",
    "audit.exported": "Audit exported",
    # receipts and callbacks
    "receipts.replayed": "Receipts applied again",
    "receipts.imported": "Receipts imported",
    "callback_endpoint.added": "Callback endpoint added",
    "callback_endpoint.changed": "Callback endpoint changed",
    "callback_endpoint.verified": "Callback endpoint verified",
    "callback_endpoint.secret_changed": "Callback secret changed",
    "callback_endpoint.secret_retired": "Old callback secret retired",
    "callback_endpoint.paused": "Callback endpoint paused",
    "callback_endpoint.resumed": "Callback endpoint resumed",
    "callback_endpoint.removed": "Callback endpoint removed",
    "callback_endpoint.disabled": "Callback endpoint switched off by Textdesk",
    "callbacks.replayed": "Callbacks delivered again",
    # the audit itself
    "audit.verified": "Audit verified",
    "audit.retired": "Old audit rows removed by retention",
}

DOORS = {
    "page": "Page",
    "api": "API",
    "admin": "Admin",
    "cli": "Command line",
    "inbound": "SMS",
    "system": "None, by itself",
}
NOUNS = tuple(dict.fromkeys(act.partition(".")[0] for act in ACTS))


def words_of(act: str) -> str:
    """`send.created` → `Composed and committed`; an act of an older desk that is no more registered stays as it is."""
    return ACTS.get(act, act)
