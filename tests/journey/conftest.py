"""One running Textdesk for the journeys that only need that it runs: starting it takes longer than most journeys.

A journey looks at its own send, and none inherits another's opt-outs. Those about starting and stopping start their own.
"""

import pytest

from tests.support import databases
from tests.support.processes import textdesk


@pytest.fixture(scope="package")
def shared_textdesk(migrated_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("textdesk")
    with databases.copied(migrated_database_url, folder) as url, textdesk(folder, url) as up:
        yield up


@pytest.fixture
def running(shared_textdesk):
    shared_textdesk.manage(
        "shell", "--no-imports", "-c", "from sms.models import OptOut; OptOut.objects.all().delete()"
    )
    return shared_textdesk
