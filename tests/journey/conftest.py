"""One desk for the journeys that need nothing of a desk but that it runs: starting one takes longer than most journeys.

A journey looks at its own send, and none inherits another's opt-outs. Those about starting and stopping start their own desk.
"""

import pytest

from tests.journey.processes import desk


@pytest.fixture(scope="package")
def one_desk(prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    with prepared.copy(folder) as url, desk(folder, url) as up:
        yield up


@pytest.fixture
def running(one_desk):
    one_desk.manage(
        "shell", "--no-imports", "-c", "from sms.models import OptOut; OptOut.objects.all().delete()"
    )
    return one_desk
