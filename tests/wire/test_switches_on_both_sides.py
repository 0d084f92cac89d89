"""Every doubt about the provider is a switch of the sandbox. Here each has its counterpart in the service, or why none is needed."""

import pytest

from sms.models import Service, TenantSwitches
from sms.webex.sandbox.switches import TABLE

# switch of the sandbox: columns of the service that are set to the tenant's way
COLUMNS = {
    "plus": ("e164_plus",),
    "inline_values": ("inline_values",),
    "placeholder": ("inline_values",),
    "options_tags": ("link_fields", "link_tag1", "link_tag2"),
    "fallback_flag": ("link_fields",),
    "smartlink_validity": ("smartlink_unit",),
    "validity_kept": ("validity_kept",),
    "rate_counts": ("rate",),
    "call_over_rate": ("batch_size", "rate"),
    "burst": ("burst",),
    "characters": ("length_unit",),
    "signed": ("notify_url_signed",),
    "signature_hash": ("receipt_algorithm",),
}

# groups of switches that need none, with the reason
NO_NEED = {
    "any 2xx with a message id is an acceptance, whatever the shape and the names of ids": (
        "accepted_as reply_to_many reply_time"
    ),
    "a reply that does not say queued for every destination is no acceptance": "reply_status",
    "each receipt brings the id of its own message, and is matched by our correlation id": "ids_of_many",
    "codes are read as text or number, and words decide nothing": "error_style error_code",
    "every refused sign-in pauses the service": "sign_in_refused blocked_address over_quota",
    "a token is made anew long before an hour is over, with the time of now": "jwt_future jwt_life",
    "nothing is read back": "read_back",
    "429 and 7020 both slow the service down, for as long as is asked or for a while": (
        "throttle_as retry_after"
    ),
    "requests have documented fields alone": "unknown_field",
    "the rule is kept before anything leaves, so the tenant has nothing to decide": (
        "bad_type destinations_counted past_send_at past_expire_at zero_validity long_validity "
        "zoneless_time offset_time no_domain field_twice unwritable_text plain_values empty_field other_content_type "
        "long_correlation bad_notify_url notify_url_end plain_notify_url bad_notify_auth "
        "missing_value policy_no_flag policy_no_group unlisted_smartlink unused_smartlink"
    ),
    "receipts are always asked for by name": "omitted_receipts failed_covers",
    "a fault is read the same in the reply and in a receipt": (
        "bad_sender bad_address long_text bad_template policy_codes contact_policy unknown_domain "
        "unknown_smartlink no_fallback"
    ),
    "the type of each text is decided here, by its characters": "text_outside_gsm",
    "a text has its values when it leaves; a pattern must be short enough both ways": "length_counts",
    "receipts are read in every documented spelling, by code before status": (
        "receipt_time receipt_region receipt_carrier receipt_carrier_time branded_text receipt_more_keys "
        "receipt_number submitted_sample request_faults expiry_code clicks_told"
    ),
    "for tests of the sandbox's own": "number_is_code",
    "a receipt that comes twice, late or not at all does no harm": "retry_gaps webhook_beside",
    "our answer is always 200, and HEAD is answered": "answer_201 head_check",
    "a signature is read with and without its prefix, of the body or of its compact form": "signature_prefix signature_of",
    "incoming messages are read in every spelling": (
        "inbound_user inbound_channel inbound_to inbound_number inbound_count inbound_carrier inbound_id"
    ),
}

# switches of the service that the sandbox has as options of its command line
OF_THE_COMMAND = {"text_limit": "--text-limit"}


def reasons() -> dict[str, str]:
    return {name: why for why, names in NO_NEED.items() for name in names.split()}


def test_every_switch_of_the_sandbox_has_a_counterpart_or_a_reason():
    named = [*COLUMNS, *reasons()]
    assert len(named) == len(set(named)), "one answer each"
    assert set(named) == {one.name for one in TABLE}


@pytest.mark.parametrize("name", sorted({column for columns in COLUMNS.values() for column in columns}))
def test_a_counterpart_is_a_column_of_the_service(name):
    assert Service._meta.get_field(name)


def test_every_switch_of_a_tenant_has_its_other_side_in_the_sandbox():
    switches = {field.name for field in TenantSwitches._meta.local_fields}
    beside = {"inline_values_origin", "answers_since"}  # what the proofs hold for, not what the tenant does
    known = {column for columns in COLUMNS.values() for column in columns} | OF_THE_COMMAND.keys()
    assert switches - beside - known == set()
