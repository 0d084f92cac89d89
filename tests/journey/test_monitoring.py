"""Prometheus' way in: /metrics and /readyz through nginx and Caddy as operators copy them, from the network of the monitoring alone."""

import json
import os
import re
import shutil
import subprocess
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.environment import ROOT
from tests.support import databases, proxies
from tests.support.processes import textdesk, until

TOKEN = {"Authorization": "Bearer of-monitoring-alone"}
ELSEWHERE = "127.0.0.3"


@pytest.fixture(scope="module")
def port(migrated_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("textdesk")
    with pytest.MonkeyPatch.context() as patch, databases.copied(migrated_database_url, folder) as url:
        patch.setenv("METRICS_TOKEN", "of-monitoring-alone")
        with textdesk(folder, url) as running:
            yield running.port


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_monitoring_asks_through_the_proxy_and_nobody_else_does(proxy, port, tmp_path):
    if not proxies.tool(proxy):
        pytest.skip(f"{proxy} is not installed")
    with getattr(proxies, proxy)(tmp_path, port) as (there, _):

        def asked(path: str, by: str, **headers: str) -> tuple[int, str]:
            with closing(
                HTTPConnection("127.0.0.1", there, timeout=60, source_address=(by, 0))
            ) as connection:
                connection.request("GET", path, headers={"Host": f"127.0.0.1:{there}"} | headers)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

        status, text = asked("/metrics", proxies.MONITORING, **TOKEN)
        assert status == 200 and "\ntextdesk_database_up 1\n" in text
        status, text = asked("/doors/metrics", proxies.MONITORING, **TOKEN)
        assert status == 200 and "\ntextdesk_build_info{" in text
        assert asked("/metrics", proxies.MONITORING)[0] == 403, "the token counts as well"
        until(
            lambda: '"failing": []' in asked("/readyz", proxies.MONITORING)[1], "what starts is done writing"
        )
        forged = {"X-Forwarded-For": proxies.MONITORING}
        others = ("//metrics", "/%6detrics", "/./readyz", "/x/../metrics", "/doors//metrics")
        for path in ("/metrics", "/readyz", "/doors/metrics", *others):
            status, text = asked(path, ELSEWHERE, **TOKEN, **forged)
            assert (status in (403, 404), "textdesk" in text) == (True, False), path
        assert asked("/healthz", ELSEWHERE)[0] == 200


def test_the_lines_of_the_runbooks_are_pasted(port):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed, and the runbooks use it")
    text = (ROOT / "docs" / "operators" / "runbooks.md").read_text()
    lines = "".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)).splitlines()
    variables = {"PUBLIC_URL": f"http://127.0.0.1:{port}", "METRICS_TOKEN": "of-monitoring-alone"}

    def pasted(line: str) -> str:
        environment = os.environ | variables
        return subprocess.run(
            ["bash", "-c", line], env=environment, capture_output=True, text=True, check=True
        ).stdout

    status, ready, metrics = lines
    assert json.loads(pasted(status))["processes"]
    until(lambda: json.loads(pasted(ready))["failing"] == [], "what starts is done writing")
    assert "textdesk_database_up 1" in pasted(metrics)
