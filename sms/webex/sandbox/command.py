"""The sandbox's command line: `manage.py webex_sandbox`, or `python -m sms.webex.sandbox` without Django."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from typing import NamedTuple

from sms.webex.sandbox.app import Sandbox
from sms.webex.sandbox.http_server import HttpServer
from sms.webex.sandbox.settings import DOMAINS, FAULTS, SMARTLINKS, TEMPLATES, Settings, auths_of, faults_of
from sms.webex.sandbox.switches import listing, switches_of

HOST = "127.0.0.1"


class Listening(NamedTuple):
    sandbox: Sandbox
    server: HttpServer
    port: int

    async def close(self) -> None:
        """Drop every connection, those of receipts too."""
        await self.server.close()
        await self.sandbox.receipts.close()


async def listen(port: int, settings: Settings, clock: Callable[[], float] = time.time) -> Listening:
    """Start on a port, 0 for any free one; ``clock`` gives epoch seconds. Raise ``OSError`` if it is taken."""
    sandbox = Sandbox(settings, clock)
    server = HttpServer(sandbox.handle)
    return Listening(sandbox, server, await server.start(HOST, port))


async def serve(port: int, settings: Settings) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    try:
        listening = await listen(port, settings)
    except OSError as error:
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        sys.stderr.write(f"The sandbox cannot listen on {HOST}:{port}: {reason}.\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    key = "the key given" if settings.key else "any key"
    sys.stdout.write(
        f"Webex Connect sandbox on http://{HOST}:{listening.port}/v2/messages, {key} accepted.\n"
    )
    sys.stdout.flush()
    await stop.wait()
    await listening.close()
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="webex_sandbox",
        description="A Webex Connect sandbox for SMS.",
        epilog=f"switches, the default first:\n{listing()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=int, default=8001)
    made.add_argument(
        "--tps", type=float, default=0.0, help="destinations a second before a throttle (default: no limit)"
    )
    made.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="see below")
    made.add_argument(
        "--sender", action="append", default=[], help="a sender that the tenant has (default: any)"
    )
    made.add_argument(
        "--domain", action="append", default=[], help="one more short-link domain of the tenant"
    )
    made.add_argument(
        "--smartlink", action="append", default=[], metavar="ID=URL", help="a smartlink, and where it leads"
    )
    made.add_argument(
        "--allow-ip", action="append", default=[], metavar="NETWORK", help="callers let in (default: all)"
    )
    made.add_argument("--quota", type=int, default=0, help="destinations taken in all (default: no end)")
    made.add_argument(
        "--profile-key", default="", help="bearer token of the Contact Policy API (default: any)"
    )
    made.add_argument(
        "--log-limit",
        type=int,
        default=2_000_000,
        help="messages kept; the oldest go first (default 2000000)",
    )
    made.add_argument("--key", default="", help="the only key accepted (default: any that is not empty)")
    made.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help=", ".join(FAULTS))
    made.add_argument("--hub-secret", default="", help="sign receipts with x-hub-signature")
    made.add_argument("--seed", type=int, default=None, help="make chance repeatable; ids never repeat")
    made.add_argument("--retry-seconds", type=float, default=60.0, help="between attempts (default 60)")
    made.add_argument("--attempt-seconds", type=float, default=10.0, help="for each attempt (default 10)")
    made.add_argument(
        "--auth",
        action="append",
        default=[],
        metavar="ID=HEADER: VALUE",
        help="a notifyUrlAuthId that the tenant knows, and the header that it sends",
    )
    made.add_argument("--inbound-url", default="", help="where incoming messages are posted")
    made.add_argument(
        "--text-limit", type=int, default=1024, help="longer texts fail with 7107; newer tenants have 4000"
    )
    made.add_argument("--service-id", default="", help="the iss of JWTs")
    made.add_argument(
        "--service-secret", default="", help="base64 secret of JWTs; without it JWTs are refused"
    )
    made.add_argument(
        "--template", action="append", default=[], metavar="ID=TEXT", help="a template the service knows"
    )
    return made


def pair(given: str, option: str) -> tuple[str, str]:
    """``NAME=VALUE``; raise ``ValueError`` with a sentence on anything else."""
    name, equals, value = given.partition("=")
    if not name or not equals:
        raise ValueError(f"{option} takes NAME=VALUE, not {given!r}.")
    return name, value


def read(argv: Sequence[str] | None) -> tuple[int, Settings]:
    """The port and the settings of a command line; a wrong one ends the process with a sentence."""
    line = parser()
    given = line.parse_args(argv)
    if not 0 <= given.port <= 65535:
        line.error("--port takes a number from 0 to 65535.")
    try:
        faults = faults_of(given.fault)
        auths = auths_of(given.auth)
        switches = switches_of(given.switch)
        allowed = tuple(ip_network(one) for one in given.allow_ip)
        smartlinks = SMARTLINKS | dict(pair(one, "--smartlink") for one in given.smartlink)
    except ValueError as error:
        line.error(str(error))
    templates = dict(TEMPLATES)
    for one in given.template:
        name, _, text = one.partition("=")
        templates[name] = (text, False)
    settings = Settings(
        key=given.key,
        tps=max(given.tps, 0.0),
        faults=faults,
        hub_secret=given.hub_secret,
        retry_seconds=max(given.retry_seconds, 0.0),
        attempt_seconds=max(given.attempt_seconds, 0.1),
        auths=auths,
        inbound_url=given.inbound_url,
        seed=given.seed,
        text_limit=given.text_limit,
        service_id=given.service_id,
        service_secret=given.service_secret,
        templates=templates,
        switches=switches,
        senders=frozenset(one.removeprefix("+") for one in given.sender),
        domains=DOMAINS | frozenset(one.lower() for one in given.domain),
        smartlinks=smartlinks,
        allowed=allowed,
        quota=max(given.quota, 0),
        profile_key=given.profile_key,
        log_limit=max(given.log_limit, 1),
    )
    return given.port, settings


def main(argv: Sequence[str] | None = None) -> int:
    port, settings = read(argv)
    try:
        return asyncio.run(serve(port, settings))
    except KeyboardInterrupt:
        return 0
