"""The tenant probe: what a tenant's Webex Connect does where its documents are silent, found out with a phone in hand and at most a
dozen messages. Findings become the service's switches (`sms.models.tenant_switches`), with date and evidence.
"""

from sms.catalogue.tenant_probe.doubts import DOUBTS, TenantDoubt
from sms.catalogue.tenant_probe.questions import MESSAGES, QUESTIONS, SEGMENTS, Question
from sms.catalogue.tenant_probe.receipts import take
from sms.catalogue.tenant_probe.run import (
    ProbeError,
    answer,
    ask,
    end,
    end_abandoned,
    open_probe,
    skip,
    spent,
    start,
    why_not,
)
from sms.catalogue.tenant_probe.standing import (
    Standing,
    evidence,
    findings_of,
    keep,
    leave,
    set_aside,
    standing,
)

__all__ = [
    "DOUBTS",
    "MESSAGES",
    "QUESTIONS",
    "SEGMENTS",
    "ProbeError",
    "Question",
    "Standing",
    "TenantDoubt",
    "answer",
    "ask",
    "end",
    "end_abandoned",
    "evidence",
    "findings_of",
    "keep",
    "leave",
    "open_probe",
    "set_aside",
    "skip",
    "spent",
    "standing",
    "start",
    "take",
    "why_not",
]
