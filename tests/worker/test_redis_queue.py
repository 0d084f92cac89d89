"""Wake-ups through a real Redis server: they arrive, do not pile up, and while it is away a cluster looks by itself."""

import contextlib

import pytest
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from sms.ledger import wakeups
from sms.worker import redis_queue
from sms.worker.redis_queue import RedisQueue
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = {f"sms.worker.tasks.{name}" for name in ("work", "fold", "approvals", "tick")}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A process whose settings name it, and that has just begun."""
    found = RedisServer(tmp_path)
    monkeypatch.setattr(Conf, "BROKER_CLASS", "sms.worker.redis_queue.RedisQueue")
    monkeypatch.setattr(Conf, "REDIS", found.url)
    for name, value in {"_lost": False, "_next_try": 0.0, "_next_look": 0.0, "_next_tick": 0.0}.items():
        monkeypatch.setattr(RedisQueue, name, value)
    monkeypatch.setattr(redis_queue, "AGAIN", 0.0)
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(found.stop)
        found.start()
        yield found


def taken() -> set[str]:
    return {SignedPackage.loads(package)["func"] for _, package in get_broker().dequeue() or ()}


def test_wake_ups_arrive_and_leave_no_row(server):
    wakeups.dispatch()
    assert (get_broker().queue_size(), OrmQ.objects.count()) == (1, 0)
    assert taken() == {"sms.worker.tasks.work"}
    assert taken() == set()
    for _ in range(redis_queue.MOST + 5):
        get_broker().enqueue("x")
    assert get_broker().queue_size() == redis_queue.MOST, "without a cluster they do not pile up"


def test_while_it_is_away_a_cluster_looks_by_itself_until_it_is_back(server, monkeypatch):
    wakeups.dispatch()
    server.stop()
    wakeups.dispatch()  # whoever asked goes on
    assert get_broker().queue_size() == 0 and get_broker().ping() is False
    assert taken() == LOOKS
    assert taken() == set(), "not at once again"
    monkeypatch.setattr(RedisQueue, "_next_look", 0.0)
    assert taken() == LOOKS - {"sms.worker.tasks.tick"}, "chores once a minute"
    server.start()
    assert taken() == set()
    wakeups.dispatch()
    assert taken() == {"sms.worker.tasks.work"}
