"""The one way to a notice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from sms.models import NOTICE_RULES, Actor, Notice, NoticeChoices, NoticeKind, NoticeWay, Service
from sms.models.sql.clock import corrected_now
from sms.notices.digest import next_digest
from sms.values import time_zones
from sms.values.msisdn.mention import masked


def tell(
    kind: NoticeKind,
    to: Iterable[int | None],
    *,
    event: str,
    says: str,
    service: Service | None = None,
    more: str = "",
    page: str = "",
    page_id: int | None = None,
    anchor: str = "",
    by: Actor | None = None,
    now: datetime | None = None,
) -> None:
    """Tell these people (ids of users) of one event.

    Call it in the transaction of what it tells, or from a job that follows states: `event` (`send_done:12`) makes it this one, so that a
    second call tells nobody twice. Left out are people who are not in the service (any more) or lack the roles of the kind, those who
    turned it off, and who did it (`by`). `page` is the name of an address of `portal.urls`, with the service's slug where there is a
    `service`, and `page_id` where it has a `pk`; `anchor` a place on it.

    `says` is one sentence for people, `more` are paragraphs for the mail. Whole numbers in them are masked; message texts have no place.
    """
    now, rule = now or corrected_now(), NOTICE_RULES[kind]
    if not (wanted := {one for one in to if one is not None}):
        return
    people: Any = get_user_model()._default_manager.filter(
        _may_be_told(kind, service), pk__in=wanted, is_active=True
    )
    if by is not None and by.kind == "user" and not rule.fixed:
        people = people.exclude(pk=by.key)
    made = []
    for person in people.distinct().order_by("pk").select_related("notice_choices"):
        choices = getattr(person, "notice_choices", None) or NoticeChoices(person=person)
        way = choices.way_of(kind)
        if way == NoticeWay.OFF:
            continue
        zone = time_zones.or_utc(person.time_zone or (service.time_zone if service else ""))
        due = {NoticeWay.MAIL: now, NoticeWay.DIGEST: next_digest(now, hour=choices.digest_hour, zone=zone)}
        made.append(
            Notice(
                person=person,
                service=service,
                kind=kind,
                event=event,
                says=masked(" ".join(says.split()))[:300],
                more=masked(more),
                page=page,
                page_id=page_id,
                anchor=anchor,
                at=now,
                way=way,
                mail_due_at=due.get(way),
            )
        )
    Notice.objects.bulk_create(made, ignore_conflicts=True)


def no_longer(*events: str, now: datetime | None = None) -> None:
    """What they told is over: nobody has to read or be mailed it any more."""
    over = Notice.objects.filter(event__in=events, seen_at=None)
    over.update(seen_at=now or corrected_now(), mail_due_at=None)


def _may_be_told(kind: NoticeKind, service: Service | None) -> Q:
    held = Q()
    if service is not None:
        held &= Q(memberships__service=service)
    if roles := NOTICE_RULES[kind].roles:
        held &= Q(memberships__role__in=roles)
    return held | Q(is_superuser=True) if held else held
