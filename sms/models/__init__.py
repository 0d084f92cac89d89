"""The nouns, one file per family. Import them from here; models import neither stages nor edges."""

from sms.models.api_key import ApiKey, ApiKeyUse
from sms.models.approval import (
    IN_FORCE,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRules,
    ApprovalState,
    Approvers,
)
from sms.models.archive import Archive, ArchiveBlock, ArchiveIndex
from sms.models.audience import AudienceChunk, AudienceVersion, SavedAudience
from sms.models.audit import Actor, AuditEvent, AuditLeave, AuditSeal
from sms.models.callback import Callback, CallbackEndpoint, Echo, Notify
from sms.models.draft import Draft, DraftPresence, Upload
from sms.models.duty import Duty
from sms.models.erasure import Erasure
from sms.models.fact import Fact, FactDelta, FactFold, FactProfile, KeptFact, ReportedSend, SendFact
from sms.models.heartbeat import Heartbeat
from sms.models.hold import Hold
from sms.models.idempotency import IdempotentAnswer
from sms.models.inbound import InboundMessage
from sms.models.label import Label
from sms.models.link import (
    Click,
    ClickCount,
    ClickFigures,
    DomainChange,
    DomainState,
    Region,
    ShortLinkDomain,
)
from sms.models.message import Message, MessageState
from sms.models.optout import OptOut
from sms.models.policy import ContactPolicyGroup, PolicyConnection
from sms.models.preparation import ColumnMemory, Preparation
from sms.models.price import Price
from sms.models.receipt import Receipt, ReceiptInbox
from sms.models.report import ReportFile, ReportPart, ReportSchedule
from sms.models.retention import RetentionClock, RetentionRun, SendKeeping
from sms.models.send import UNFINISHED, Lane, Reject, Resend, Send, SendState, Slice, StateCount
from sms.models.sender import Registration, Sender, SenderKind
from sms.models.service import AuthKind, Pace, Service
from sms.models.smartlink import Smartlink
from sms.models.template import MessageTemplate, TemplateVersion, VersionState

__all__ = [
    "IN_FORCE",
    "UNFINISHED",
    "Actor",
    "ApiKey",
    "ApiKeyUse",
    "ApprovalDecision",
    "ApprovalRequest",
    "ApprovalRules",
    "ApprovalState",
    "Approvers",
    "Archive",
    "ArchiveBlock",
    "ArchiveIndex",
    "AudienceChunk",
    "AudienceVersion",
    "AuditEvent",
    "AuditLeave",
    "AuditSeal",
    "AuthKind",
    "Callback",
    "CallbackEndpoint",
    "Click",
    "ClickCount",
    "ClickFigures",
    "ColumnMemory",
    "ContactPolicyGroup",
    "DomainChange",
    "DomainState",
    "Draft",
    "DraftPresence",
    "Duty",
    "Echo",
    "Erasure",
    "Fact",
    "FactDelta",
    "FactFold",
    "FactProfile",
    "Heartbeat",
    "Hold",
    "IdempotentAnswer",
    "InboundMessage",
    "KeptFact",
    "Label",
    "Lane",
    "Message",
    "MessageState",
    "MessageTemplate",
    "Notify",
    "OptOut",
    "Pace",
    "PolicyConnection",
    "Preparation",
    "Price",
    "Receipt",
    "ReceiptInbox",
    "Region",
    "Registration",
    "Reject",
    "ReportFile",
    "ReportPart",
    "ReportSchedule",
    "ReportedSend",
    "Resend",
    "RetentionClock",
    "RetentionRun",
    "SavedAudience",
    "Send",
    "SendFact",
    "SendKeeping",
    "SendState",
    "Sender",
    "SenderKind",
    "Service",
    "ShortLinkDomain",
    "Slice",
    "Smartlink",
    "StateCount",
    "TemplateVersion",
    "Upload",
    "VersionState",
]
