"""What holds for every send and every body, told by Hypothesis: our encoder against readers that do not know it.

Soup as request, reply, receipt and inbound is beside what it is about: `test_drop_in_body`, `test_replies`, `test_receipts`,
`test_inbound`. Here is the other side's reading, and that nothing raw is lost.
"""

import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sms.webex.errors import ProviderError, UnreadableBody
from sms.webex.inbound import parse_inbound
from sms.webex.receipts import parse_receipt
from sms.webex.replies import Accepted, parse_reply
from sms.webex.rules import Rules
from sms.webex.sandbox import rules as theirs
from sms.webex.sandbox.refusals import SandboxRefused
from sms.webex.sandbox.request_options import SandboxLinkOptions, SandboxPolicyOptions
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.switches import Switches
from sms.webex.wire import SendRequest, encode
from tests.wire import golden
from tests.wire.at_our_door import Door
from tests.wire.requests import NOW, valid_requests

STRICT = Switches(
    unknown_field="7004",
    past_send_at="7004",
    past_expire_at="7004",
    zoneless_time="7004",
    long_correlation="7004",
    bad_notify_url="7004",
    plain_notify_url="invalid",
    bad_notify_auth="7004",
    unknown_domain="7004",
    plus="required",
    bad_sender="reply",
    bad_address="reply",
    long_text="reply",
    bad_template="reply",
    missing_value="7121",
    unlisted_smartlink="7004",
    unused_smartlink="7004",
)
"""Every open point decided against the caller."""


def tenant(request: SendRequest) -> Settings:
    """A strict one that knows the request's template and link."""
    templates = {request.template.id: ("A text of theirs", False)} if request.template else {}
    return Settings(switches=STRICT, templates=templates, smartlinks={"7": "https://shop.example/app"})


def filled(request: SendRequest, index: int) -> str:
    """The text as a person would put the values in, once and without looking at what they contain."""
    if request.content is None:
        return "A text of theirs"
    values = request.substitutions | request.to[index].substitutions
    return re.sub(r"\$\(([^()]+)\)", lambda found: values[found[1]], request.content.text)


@given(valid_requests())
def test_other_side_takes_any_valid_request_and_reads_the_same_fields(request):
    body = encode(request, rules=Rules(now=NOW))
    order, destinations = theirs.read(body, tenant(request), NOW.timestamp())
    assert order.sender == request.from_
    assert order.unicode == (request.content is not None and request.content.type == "unicode")
    assert order.receipts == (frozenset(request.requested_receipts) or theirs.RECEIPTS)
    assert (order.callback, order.notify_url) == (request.callback_data, request.notify_url)
    assert (order.notify_auth, order.fault) == (request.notify_url_auth_id, "")
    options = request.options
    assert order.links == (
        SandboxLinkOptions()
        if options is None
        else SandboxLinkOptions(
            options.domain,
            options.shorten_links,
            options.track_clicks,
            options.allow_fallback_url,
            tuple(tag for tag in (options.tag1, options.tag2) if tag),
        )
    )
    policy = request.contact_policy
    assert order.policy == (
        None
        if policy is None
        else SandboxPolicyOptions(policy.group, policy.check_consent, policy.apply_frequency_cap)
    )
    assert order.smart == {str(link.smartlink_id): link.validity * 60 for link in request.smartlinks}
    start = request.send_at.timestamp() if request.send_at else 0.0
    end = request.expire_at.timestamp() if request.expire_at else 0.0
    if request.validity is not None:
        end = (start or NOW.timestamp()) + int(request.validity)
    assert order.send_at == pytest.approx(start, abs=0.0005)
    assert order.expire_at == pytest.approx(end, abs=0.0005)
    assert len(destinations) == len(request.to)
    for index, (read, written) in enumerate(zip(destinations, request.to, strict=True)):
        assert (read.msisdn, read.correlation) == (written.msisdn[0], written.correlation_id)
        assert (read.text, read.fault) == (filled(request, index), "")


@pytest.fixture
def door() -> Door:
    return Door()


EDITS = st.sampled_from([b"", b"null", b"0", b'""', b"{}", b"[]", b"true", b'"\\ud800"', b"1e9", b'"x"'])


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=valid_requests(), data=st.data())
def test_body_that_is_damaged_is_read_or_refused_by_both_sides_without_a_stumble(door, written, data):
    """One value is exchanged for another of a wrong type or form."""
    said = json.loads(encode(written, rules=Rules(now=NOW)))
    path = data.draw(st.sampled_from(sorted(said)))
    said[path] = "MARK"
    damaged = json.dumps(said).encode().replace(b'"MARK"', data.draw(EDITS))
    codes = {"7000", "7003", "7004", "7101", "7102", "7107", "7108", "7126"}
    assert door.code(damaged) in {"201", *codes}
    try:
        theirs.read(damaged, tenant(written), NOW.timestamp())
    except SandboxRefused as refusal:
        assert refusal.code in codes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())
NAMES = [*golden.names("receipt"), *golden.names("reply"), *golden.names("inbound"), *golden.names("request")]
CUT = st.builds(
    lambda name, start, stop, noise: golden.body(name)[start:stop] + noise,
    st.sampled_from(NAMES),
    st.integers(0, 40),
    st.integers(40, 600),
    st.binary(max_size=6),
)
SOUP = st.binary(max_size=200) | JSON | CUT


@given(SOUP)
def test_any_bytes_as_receipt_or_inbound_are_read_or_unreadable_and_stay_as_they_came(raw):
    kept = bytes(bytearray(raw))
    for parse in (parse_receipt, parse_inbound):
        try:
            parse(raw)
        except UnreadableBody as error:
            assert str(error)
    assert raw == kept


@given(SOUP, st.integers(-1, 999), st.text(max_size=12))
def test_any_bytes_as_reply_are_an_acceptance_with_an_id_or_a_decision(raw, status, wait):
    try:
        accepted = parse_reply(status, {"Retry-After": wait}, raw)
    except ProviderError as decision:
        assert type(decision) is not ProviderError
        assert decision.code and decision.status == status
        assert len(decision.detail) <= 200 and (not decision.detail or decision.detail.isprintable())
    else:
        assert isinstance(accepted, Accepted) and accepted.provider_id
        assert 200 <= status < 300


@given(valid_requests())
def test_encoded_request_is_plain_json_in_the_order_of_the_fields(request):
    body = encode(request, rules=Rules(now=NOW))
    order = [field.encode_name for field in msgspec.structs.fields(SendRequest)]
    names = list(json.loads(body))
    assert names == [name for name in order if name in names]
    assert json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")) == body.decode()
