"""From a release to the next and back, as docs/operators/deploying.md says, while a send goes out and receipts come in."""

import json

import pytest

from tests.faults import upgrade
from tests.support import databases, proxies


@pytest.mark.postgresql
def test_an_upgrade_and_its_rollback_stop_no_send_and_refuse_no_receipt(
    var_dir, migrated_database_url, tmp_path, say
):
    if not proxies.tool("nginx"):
        pytest.skip("nginx is not installed")
    with (
        databases.copied(migrated_database_url, tmp_path) as url,
        upgrade.installed(var_dir, url) as there,
    ):
        figures = upgrade.drill(there, tmp_path)
    say(json.dumps({"figure": "upgrade", **figures}))
    assert figures["wrong"] == {}
    assert figures["receipts_refused"] == figures["leases_ran_out"] == 0
    assert figures["reports"] == "agree"
