"""Receivers: before an approver goes, by whatever way, it is noted that approval was set up in their services (`sms.models.guard`)."""

from typing import Any

from django.db.models.signals import pre_delete, pre_save

from portal.models import Membership, Role, User
from sms.models import ApprovalRules


def connect() -> None:
    pre_delete.connect(_role_goes, sender=Membership, dispatch_uid="approver_goes")
    pre_save.connect(_role_goes, sender=Membership, dispatch_uid="approver_changes")
    pre_save.connect(_switched_off, sender=User, dispatch_uid="approver_is_switched_off")


def _role_goes(instance: Membership, raw: bool = False, **_: Any) -> None:
    if instance.pk is not None and not raw:
        ApprovalRules.note_set_up(instance.service_id)


def _switched_off(instance: User, raw: bool, **_: Any) -> None:
    if instance.pk is None or instance.is_active or raw:
        return
    for membership in instance.memberships.filter(role=Role.APPROVER):
        ApprovalRules.note_set_up(membership.service_id)
