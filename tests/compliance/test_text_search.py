"""The database finds a number in whatever way it is written: in texts, in JSON and in bytes."""

import json

import pytest
from django.utils import timezone

from sms.compliance import erasure
from sms.compliance.erasure.naming import ids_naming
from sms.models import Draft, Receipt
from tests.support.sends import a_service

pytestmark = pytest.mark.django_db
NUMBER = "+447710000000"
WRITTEN = (
    *("+447710000000", "447710000000", "7710000000", "07710000000", "00447710000000"),
    *(
        "+44 (0)7710 000-000",
        "07710 000 000",
        "07710.000.000",
        "07710/000000",
        "[07710] 000000",
        "07710,000,000",
    ),
    *(
        "07710\u00a0000\u202f000",
        "07710–000–000",
        "٠٧٧١٠٠٠٠٠٠٠",
        "०७७१०००००००",
        "07710\n000000",
        "07710\t000000",
        "https://x.example/?t=07710%20000%20000",
        "https://x.example/?t=%2B44%20%280%297710%20000%20000&n=1",
    ),
)
OTHERS = ("+447710000001", "77100000001", "order 17710000000", "0771000000", "•••", "é", "")


def test_every_spelling_is_found_in_every_kind_of_column_and_nothing_else():
    service = a_service()
    subject, now = erasure.Subject(service, NUMBER), timezone.now()
    named: dict[bool, set[int]] = {True: set(), False: set()}
    raws: dict[bool, set[int]] = {True: set(), False: set()}
    for at, text in enumerate((*WRITTEN, *OTHERS)):
        said, mine = f"Call {text} now", text in WRITTEN
        draft = Draft.objects.create(service=service, text=said, fillings={"a": {"fallback": said}})
        named[mine].add(draft.pk)
        raw = json.dumps({"said": said}, ensure_ascii=False).encode() if text.isprintable() else said.encode()
        came = Receipt.objects.create(service=service, raw=raw, dedupe=b"%016d" % at, received_at=now)
        raws[mine].add(came.pk)
    assert set(ids_naming(Draft.objects.all(), "text", subject)) == named[True]
    assert set(ids_naming(Draft.objects.all(), "fillings", subject)) == named[True]
    assert set(ids_naming(Receipt.objects.all(), "raw", subject)) == raws[True]
