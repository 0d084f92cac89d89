"""The guard of the four eyes: while approval is on, a change that weakens it waits for a second person, or for a day.

    holding    holding a change back: what would be weaker is put back, and asked about
    effects    confirming, declining, and what takes effect by itself
    ties       whose word is whose: who made a person an approver answers for them for some days
    words      what a change is about, for people
    notices    notices to all admins

Which columns guard is said by the models (`sms.models.guard`). Called wherever such a row is changed: pages, the admin,
`sms.catalogue.api_keys`, `portal.people`. What an operator does on the host (`manage.py`) takes effect at once, with a notice.
"""

from sms.guard.effects import GuardRefused, confirm, decline, obstacle, take_effect_due, took_effect
from sms.guard.holding import OPERATOR, Operation, ask, call_off, hold_back, operation_of
from sms.guard.queries import recent, to_confirm, waiting
from sms.guard.ties import tied, vouchers_of
from sms.models.guard import on_guard, watching
