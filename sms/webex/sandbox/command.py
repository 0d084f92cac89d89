"""The sandbox's command line: `manage.py webex_sandbox`, or `python -m sms.webex.sandbox` without Django."""

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_network
from typing import NamedTuple

from sms.webex.sandbox.app import Sandbox
from sms.webex.sandbox.http2 import EitherServer
from sms.webex.sandbox.settings import DOMAINS, FAULTS, SMARTLINKS, TEMPLATES, Settings, auths_of, faults_of
from sms.webex.sandbox.switches import listing, switches_of

HOST = "127.0.0.1"
LEAST = {"tps": 0.0, "retry_seconds": 0.0, "attempt_seconds": 0.1, "quota": 0, "log_limit": 1}


class Listening(NamedTuple):
    sandbox: Sandbox
    server: EitherServer
    port: int

    async def close(self) -> None:
        await self.server.close()
        await self.sandbox.receipts.close()


async def listen(port: int, settings: Settings, clock: Callable[[], float] = time.time) -> Listening:
    """Start on a port, 0 for any free one; ``clock`` gives epoch seconds. Raise ``OSError`` if it is taken."""
    sandbox = Sandbox(settings, clock)
    server = EitherServer(sandbox.handle)
    return Listening(sandbox, server, await server.start(HOST, port))


async def serve(port: int, settings: Settings, say: Callable[[str], None]) -> int:
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
    address = f"http://{HOST}:{listening.port}/v2/messages"
    say(f"Webex Connect sandbox on {address}, {key} accepted.")
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
    one, several = made.add_argument, partial(made.add_argument, action="append", default=[])
    one("--port", type=int, default=8001)
    one("--tps", type=float, default=0.0, help="destinations a second before a throttle (default: no limit)")
    several("--switch", dest="switches", metavar="NAME=VALUE", help="see below")
    several("--sender", dest="senders", metavar="ID", help="a sender that the tenant has (default: any)")
    several("--domain", dest="domains", metavar="HOST", help="one more short-link domain of the tenant")
    several("--smartlink", dest="smartlinks", metavar="ID=URL", help="a smartlink, and where it leads")
    several("--allow-ip", dest="allowed", metavar="NETWORK", help="callers let in (default: all)")
    one("--quota", type=int, default=0, help="destinations taken in all (default: no end)")
    one("--profile-key", default="", help="bearer token of the Contact Policy API (default: any)")
    kept = "messages kept; the oldest go first (default 2000000)"
    one("--log-limit", type=int, default=2_000_000, help=kept)
    one("--key", default="", help="the only key accepted (default: any that is not empty)")
    several("--fault", dest="faults", metavar="NAME=VALUE", help=", ".join(FAULTS))
    webhook = "the service's outbound webhook: receipts of all messages are posted there"
    one("--webhook", dest="webhook_url", metavar="URL", default="", help=webhook)
    signs = "the webhooks' secret: sign what is posted to them with x-hub-signature"
    one("--hub-secret", default="", metavar="SECRET", help=signs)
    one("--seed", type=int, help="make chance repeatable; ids never repeat")
    one("--retry-seconds", type=float, default=60.0, help="between attempts (default 60)")
    one("--attempt-seconds", type=float, default=10.0, help="for each attempt (default 10)")
    auth = "a notifyUrlAuthId that the tenant knows, and the header that it sends"
    several("--auth", dest="auths", metavar="ID=HEADER: VALUE", help=auth)
    one("--inbound-url", default="", help="where incoming messages are posted")
    long = "longer texts fail with 7107; newer tenants have 4000"
    one("--text-limit", type=int, default=1024, help=long)
    one("--service-id", default="", help="the iss of JWTs")
    one("--service-secret", default="", help="base64 secret of JWTs; without it JWTs are refused")
    several("--template", dest="templates", metavar="ID=TEXT", help="a template the service knows")
    return made


def smartlink(given: str) -> tuple[str, str]:
    name, equals, url = given.partition("=")
    if not name or not equals:
        raise ValueError(f"--smartlink takes NAME=VALUE, not {given!r}.")
    return name, url


def read(argv: Sequence[str] | None) -> tuple[int, Settings]:
    """The port and the settings of a command line; a wrong one ends the process with a sentence."""
    line = parser()
    given = vars(line.parse_args(argv))  # by the names of the settings
    port: int = given.pop("port")
    if not 0 <= port <= 65535:
        line.error("--port takes a number from 0 to 65535.")
    given |= {name: max(given[name], least) for name, least in LEAST.items()}
    templates = (one.partition("=") for one in given["templates"])
    try:
        given |= {
            "faults": faults_of(given["faults"]),
            "auths": auths_of(given["auths"]),
            "switches": switches_of(given["switches"]),
            "allowed": tuple(map(ip_network, given["allowed"])),
            "smartlinks": SMARTLINKS | dict(map(smartlink, given["smartlinks"])),
            "templates": TEMPLATES | {name: (text, False) for name, _, text in templates},
            "senders": frozenset(one.removeprefix("+") for one in given["senders"]),
            "domains": DOMAINS | {one.lower() for one in given["domains"]},
        }
    except ValueError as error:
        line.error(str(error))
    return port, Settings(**given)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None, *, say: Callable[[str], None] = _say) -> int:
    port, settings = read(argv)
    try:
        return asyncio.run(serve(port, settings, say))
    except KeyboardInterrupt:
        return 0
