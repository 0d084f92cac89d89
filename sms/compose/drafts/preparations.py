"""The work on a draft's large audience that people can stop and take up again."""

from django.db.models import QuerySet
from django.utils import timezone

from sms.models import Draft, Preparation


def preparations_of(draft: Draft) -> list[Preparation]:
    found = Preparation.objects.filter(draft=draft) | Preparation.objects.filter(
        version__isnull=False, version=draft.version_id
    )
    return list(found.order_by("pk"))


def stop_preparing(draft: Draft) -> bool:
    """Cancel the work on its audience; False where nothing was under way. The draft stays as it is."""
    ids = [one.pk for one in preparations_of(draft) if one.is_waiting]
    return cancel(Preparation.objects.filter(pk__in=ids))


def cancel(rows: "QuerySet[Preparation]") -> bool:
    """Those of them that wait or are under way; a worker that has one finds its lease gone."""
    ended = {"owner": "", "leased_until": None, "ended_at": timezone.now()}
    waiting = rows.filter(state=Preparation.State.WAITING)
    return bool(waiting.update(state=Preparation.State.CANCELLED, **ended))


def resume_preparing(draft: Draft) -> bool:
    """Take up what was cancelled or failed, where it stopped; False where there is nothing."""
    over = (Preparation.State.CANCELLED, Preparation.State.FAILED)
    ids = [one.pk for one in preparations_of(draft) if one.state in over]
    return bool(Preparation.take_up(Preparation.objects.filter(pk__in=ids)))
