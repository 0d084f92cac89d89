"""The key of a person's page: one for each number and service, and nothing else opens."""

from hypothesis import given
from hypothesis import strategies as st

from sms.values.msisdn.person_key import LONGEST, number_of, person_key

numbers = st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z|\A#[a-z2-7]{15}\Z")
keys = st.binary(min_size=16, max_size=64)


@given(numbers, numbers, keys, keys)
def test_it_is_the_same_each_time_and_opens_with_its_own_key_only(one, other, key, another):
    made = person_key(one, key=key)
    assert made == person_key(one, key=key)
    assert len(made) <= LONGEST and made.replace("-", "").replace("_", "").isalnum()
    assert one.lstrip("+") not in made
    assert number_of(made, key=key) == one
    assert (made == person_key(other, key=key)) == (one == other)
    assert key == another or number_of(made, key=another) is None


@given(st.text(max_size=80) | st.text("abcXYZ019-_", max_size=64), keys)
def test_anything_else_opens_nothing(text, key):
    assert number_of(text, key=key) is None


@given(numbers, keys, st.data())
def test_a_key_with_one_letter_changed_opens_nothing(one, key, data):
    made = person_key(one, key=key)
    place = data.draw(st.integers(0, len(made) - 1))
    changed = made[:place] + ("A" if made[place] != "A" else "B") + made[place + 1 :]
    assert number_of(changed, key=key) is None
    assert number_of(made[:place] + "!" + made[place:], key=key) is None
