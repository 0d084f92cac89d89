"""Every crash point stands where the protocol passes: a point that is never passed could kill nothing, and would prove nothing."""

import sys
from datetime import timedelta

import pytest
from django.utils import timezone

from sms import dispatch
from sms.compliance import erasure
from sms.compose import background, drafts
from sms.compose.background import check
from sms.compose.create import create
from sms.inbound import receipts
from sms.ledger import crash_points
from sms.models import Service, Slice
from tests.support.callbacks import comes_in
from tests.support.dispatching import Dispatcher
from tests.support.large_audiences import LIMITS, a_draft, again, finished, large_order, people
from tests.support.past_sends import a_past_send, an_old_service, run
from tests.support.provider import Provider
from tests.support.sends import BY, a_send, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def passed(monkeypatch) -> list[str]:
    """The names of the points passed, in order."""
    names: list[str] = []
    unset = crash_points.point
    for module in [one for name, one in sys.modules.items() if name.startswith("sms.")]:
        if getattr(module, "point", None) is unset and module is not crash_points:
            monkeypatch.setattr(module, "point", names.append)
    return names


def test_a_message_passes_each_step_of_dispatch_in_order(passed):
    send = a_send(a_service(), 1)
    Provider().dispatch(clients=1)
    assert [name for name in passed if name != "mid_post"] == [
        "claimed",
        "before_record",
        "before_arm",
        "record_uncommitted",
        "armed_uncommitted",
        "armed",
        "before_post",
        "after_post",
        "before_record",
        "record_uncommitted",
        "recorded",
        "before_finish",
        "finished",
    ] or {*passed} >= {"claimed", "armed", "recorded", "finished"}
    passed.clear()
    comes_in(send.messages.get())
    receipts.fold()
    assert passed == ["folded"]


def test_a_post_that_is_refused_passes_the_same_steps(passed):
    from tests.support.provider import refused

    a_send(a_service(), 1)
    Provider(lambda body: refused("7004")).dispatch(clients=1)
    assert passed.count("before_post") == passed.count("after_post") == 1
    assert {
        "claimed",
        "before_arm",
        "armed_uncommitted",
        "armed",
        "recorded",
        "before_finish",
        "finished",
    } <= {*passed}


def test_a_dead_dispatchers_lease_passes_the_sweep(passed):
    Dispatcher(a_send(a_service(), 2), "dead").arm(1)
    Slice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    passed.clear()
    assert dispatch.sweep() == 1
    assert passed == ["swept"]
    assert dispatch.sweep() == 0
    assert passed == ["swept"], "nothing was swept"


def test_messages_that_leave_for_an_archive_pass_each_step(passed):
    service = an_old_service(keep_messages=10)
    a_past_send(service, 2, days=15, ends=("delivered",))
    run(service)
    assert passed == ["archive_named", "archive_written", "archive_listed", "archive_moving", "archive_moved"]
    passed.clear()
    Service.objects.filter(pk=service.pk).update(keep_bodies=10)
    run(service)
    assert passed == ["archive_swapped"]


def test_an_erasure_passes_a_point_for_each_place(passed, state_folder):
    asked = erasure.ask(an_old_service(), "+447710000000", reason="r", by=BY)
    erasure.perform(asked, folder=state_folder)
    asked.refresh_from_db()
    assert passed == ["erasing"] * len(asked.certificate["places"])


def test_a_large_audience_passes_each_step_of_its_preparation(passed, monkeypatch):
    monkeypatch.setattr(check, "STORE_EVERY", 0.0)
    draft = a_draft(a_service(), people(3_000))
    finished(draft)
    reading, checking = ([name for name in passed if name.startswith(start)] for start in ("rows_", "check_"))
    pairs = len(reading) // 2
    assert reading == ["rows_uncommitted", "rows_committed"] * pairs and pairs > 1
    pairs = (len(checking) - 1) // 2
    assert checking == ["check_uncommitted", "check_committed"] * pairs + ["check_ending"] and pairs > 1
    passed.clear()
    create(large_order(a_service(slug="other")), by=BY)
    background.run(stopped=lambda: False)
    pairs = (len(passed) - 1) // 2
    assert passed == ["messages_uncommitted", "messages_committed"] * pairs + ["opening"] and pairs > 1
    assert drafts.totals_of(again(draft), limits=LIMITS).figures is not None


# --- the points themselves ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("setting", "nth"), [("armed", 1), ("armed:1", 1), ("armed:3", 3)])
def test_a_point_kills_at_its_nth_passage_only(setting, nth):
    deaths: list[int] = []
    count = 0
    point = crash_points.chosen(setting, die=lambda: deaths.append(count))
    for count in range(1, 6):  # noqa: B007 - read when it dies
        point("claimed")
        point("armed")
    assert deaths == [nth]


def test_unset_a_point_is_an_empty_function():
    assert crash_points.chosen("", die=lambda: pytest.fail("died")) is crash_points._pass
    assert crash_points.point is crash_points._pass
    crash_points.point("armed")


@pytest.mark.parametrize("setting", ["amred", "armed:0", "armed:x", ":1", "armed:1:2"])
def test_a_wrong_setting_is_refused(setting):
    with pytest.raises(ValueError, match="TEXTDESK_CRASH_AT is"):
        crash_points.chosen(setting, die=lambda: None)


@pytest.mark.parametrize("name", ["armed", "archive_named", "opening"])
def test_a_misspelled_call_is_refused_and_every_kind_of_name_is_known(name):
    point = crash_points.chosen(name, die=lambda: None)
    with pytest.raises(ValueError, match="no crash point 'amred'"):
        point("amred")
    for known in crash_points.PLACES:
        point(known)
