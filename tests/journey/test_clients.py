"""Clients as people have them send without a length, hear the receipt and read back: directly, through nginx, and through Caddy."""

import pytest

from tests.support import proxies
from tests.support.callback_receiver import receiving
from tests.support.client_journey import OK, SANDBOX_KEY, Route, journey
from tests.support.client_programs import PROGRAMS

NEEDED = [one for one in PROGRAMS if not one.bench_only]
ROUTES = ("Textdesk", "Textdesk by nginx", "Textdesk by Caddy", "sandbox")


@pytest.fixture(scope="module")
def routes(shared_textdesk, tmp_path_factory):
    for name in ("nginx", "caddy"):
        if not proxies.tool(name):
            pytest.skip(f"{name} is not installed")
    made = ("api_key", "--service", "demo", "--name", "journeys", "--scopes", "send,read")
    key = shared_textdesk.manage(*made).stdout.strip()
    ports = (shared_textdesk.port, shared_textdesk.sandbox_port)
    with (
        proxies.nginx(tmp_path_factory.mktemp("nginx"), ports[0]) as nginx,
        proxies.caddy(tmp_path_factory.mktemp("caddy"), ports[0]) as caddy,
    ):
        yield {
            "Textdesk": Route("Textdesk", (ports[0], ports[0]), key),
            "Textdesk by nginx": Route("nginx", nginx, key),
            "Textdesk by Caddy": Route("Caddy", caddy, key),
            "sandbox": Route("sandbox", (ports[1], ports[1]), SANDBOX_KEY),
        }


@pytest.mark.parametrize("program", NEEDED, ids=lambda one: one.name)
def test_a_message_is_sent_reported_and_read_back(program, routes, running, tmp_path):
    if program.missing:
        pytest.skip(f"{program.missing} is not installed")
    program.prepare(tmp_path)
    with receiving() as receiver:
        said = {name: journey(program, route, tmp_path, receiver) for name, route in routes.items()}
    assert said == dict.fromkeys(ROUTES, OK)
