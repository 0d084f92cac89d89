"""Correlation ids find our messages and cannot be forged."""

from hypothesis import given
from hypothesis import strategies as st

from sms.values import correlation_id
from sms.values.correlation_id import Correlation


@given(
    message_id=st.integers(0, 2**63 - 1), attempt=st.integers(0, 32767), key=st.text(min_size=1, max_size=20)
)
def test_what_was_written_is_read_back(message_id, attempt, key):
    text = correlation_id.write(message_id=message_id, attempt=attempt, key=key)
    assert len(text.encode()) <= 50
    assert correlation_id.read(text, key=key) == Correlation(message_id, attempt)
    assert correlation_id.read(text.upper(), key=key) == Correlation(message_id, attempt)


@given(text=st.text(max_size=60))
def test_any_text_is_read_as_nothing_and_raises_nothing(text):
    assert correlation_id.read(text, key="secret") is None


def test_another_services_key_and_a_changed_number_find_nothing():
    text = correlation_id.write(message_id=35, attempt=1, key="ours")
    assert correlation_id.read(text, key="theirs") is None
    assert correlation_id.read("a" + text[1:], key="ours") is None
    assert correlation_id.read(text.replace("-1-", "-2-"), key="ours") is None
