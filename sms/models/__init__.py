"""The nouns, one file per family. Import them from here; models import neither stages nor edges."""

from sms.models.api_key import ApiKey, ApiKeyUse, Purpose
from sms.models.approval import IN_FORCE, ApprovalDecision, ApprovalRequest, ApprovalRules, ApprovalState
from sms.models.archive import Archive, ArchiveBlock, ArchiveIndex
from sms.models.audience import AudienceChunk, AudienceVersion, SavedAudience
from sms.models.audit import Actor, AuditCheck, AuditEvent, AuditLeave, AuditSeal, CheckpointPlace
from sms.models.callback import Callback, CallbackEndpoint, Echo, Notify
from sms.models.comment import AskedToLook, Comment
from sms.models.conversation import Conversation, ConversationAnswer
from sms.models.draft import Draft, DraftPresence, Hidden, Upload
from sms.models.duty import Duty
from sms.models.epoch import Epoch, RestoredCopy
from sms.models.erasure import Erasure
from sms.models.event import Event, EventEpoch
from sms.models.fact import Fact, FactDelta, FactFold, FactProfile, FactZone, KeptFact, ReportedSend, SendFact
from sms.models.going_live import GoingLiveStep
from sms.models.guard import ChangeState, Guarded, GuardedChange, WaitingChange
from sms.models.heartbeat import Heartbeat
from sms.models.hold import Hold
from sms.models.idempotency import IdempotentAnswer
from sms.models.inbound import InboundMessage
from sms.models.keyword_rule import KeywordRule
from sms.models.label import Label
from sms.models.link import (
    Click,
    ClickCount,
    ClickFigures,
    DomainChange,
    DomainState,
    Region,
    ShortLinkDomain,
    Smartlink,
)
from sms.models.list_choice import BulkAct, KeptList, ListColumns, SavedFilter
from sms.models.message import Message, MessageState
from sms.models.notice import NOTICE_RULES, Notice, NoticeChoices, NoticeKind, NoticeWay
from sms.models.operations import BackupNote, MeterTotal, OperationalFault
from sms.models.optout import OptOut
from sms.models.policy import ContactPolicyGroup, PolicyConnection
from sms.models.preparation import ColumnMemory, Preparation
from sms.models.price import Price
from sms.models.receipt import Receipt, ReceiptInbox, SimulatedReceipt
from sms.models.receipt_choice import ALL_RECEIPTS, USUAL_RECEIPTS, Receipts
from sms.models.recurring import MOST_TIMES, Holiday, Occurrence, RecurringSend, StandingApproval
from sms.models.refused_post import CameTo, PostKind, PostTally, RefusedPost, RetiredAddress
from sms.models.refused_request import RefusedRequest
from sms.models.report import ReportFile, ReportPart, ReportSchedule
from sms.models.retention import RetentionClock, RetentionRun, SendKeeping
from sms.models.send import Reject, Send, Slice, StateCount
from sms.models.send_options import Lane, Resend, SendOptions
from sms.models.send_state import OVER, UNFINISHED, SendState, ShownState
from sms.models.sender import Registration, Sender, SenderKind
from sms.models.service import AuthKind, Pace, Service
from sms.models.spend_cap import CapNotice, SpendCount
from sms.models.template import MessageTemplate, TemplateVersion, VersionState
from sms.models.tenant_probe import (
    MOST_MESSAGES,
    NUMBER,
    ProbeFinding,
    ProbePost,
    ProbeReceipt,
    ProbeStep,
    TenantProbe,
)
from sms.models.tenant_switches import InlineValues, LengthUnit, LinkFields, SmartlinkUnit, TenantSwitches
