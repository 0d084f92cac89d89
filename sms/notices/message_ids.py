"""Names of the mails that we send, signed, so that a report of one that came back is believed only where we sent it."""

import re
from urllib.parse import urlsplit

from django.core.signing import Signer
from django.utils.crypto import constant_time_compare

_NAMED = re.compile(r"<?notice\.(\d{1,18})\.(\d{1,19}-\d{1,19})\.([\w-]+)@")


def message_id(person_id: int, first: int, last: int, *, public_url: str) -> str:
    """Always the same for the same mail, which has notices from the id `first` to `last`."""
    what = f"{person_id}.{first}-{last}"
    return f"<notice.{what}.{_signer().signature(what)}@{urlsplit(public_url).hostname or 'localhost'}>"


def person_of(name: str) -> int | None:
    """Whose mail it was; None where we did not make the name."""
    found = _NAMED.match(name.strip())
    if found is None:
        return None
    person_id, ids, signature = found.groups()
    what = f"{person_id}.{ids}"
    return int(person_id) if constant_time_compare(_signer().signature(what), signature) else None


def _signer() -> Signer:
    return Signer(salt="sms.notices.message_ids")
