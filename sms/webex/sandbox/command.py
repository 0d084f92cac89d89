"""The sandbox's command line: `manage.py webex_sandbox`, or `python -m sms.webex.sandbox` without Django."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
from collections.abc import Sequence

from sms.webex.sandbox.app import Sandbox
from sms.webex.sandbox.http1 import Connection
from sms.webex.sandbox.settings import FAULTS, TEMPLATES, Settings, faults_of

HOST = "127.0.0.1"


async def serve(port: int, settings: Settings) -> int:
    """Run until SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    sandbox = Sandbox(settings)
    connections: set[Connection] = set()
    try:
        server = await loop.create_server(lambda: Connection(sandbox.handle, connections), HOST, port)
    except OSError as error:
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        sys.stderr.write(f"The sandbox cannot listen on {HOST}:{port}: {reason}.\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread
            loop.add_signal_handler(number, stop.set)
    bound = server.sockets[0].getsockname()[1]
    key = "the key given" if settings.key else "any key"
    sys.stdout.write(f"Webex Connect sandbox on http://{HOST}:{bound}/v2/messages, {key} accepted.\n")
    sys.stdout.flush()
    await stop.wait()
    server.close()
    for connection in list(connections):
        connection.transport.abort()
    sandbox.courier.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="webex_sandbox", description="A Webex Connect sandbox for SMS.")
    made.add_argument("--port", type=int, default=8001)
    made.add_argument("--tps", type=float, default=0.0, help="calls a second before 429 (default: no limit)")
    made.add_argument("--key", default="", help="the only key accepted (default: any that is not empty)")
    made.add_argument("--fault", action="append", default=[], metavar="NAME=VALUE", help=", ".join(FAULTS))
    made.add_argument("--hub-secret", default="", help="sign receipts with x-hub-signature")
    made.add_argument("--seed", type=int, default=None, help="make chance repeatable; ids never repeat")
    made.add_argument("--retry-seconds", type=float, default=60.0, help="between attempts (default 60)")
    made.add_argument(
        "--text-limit", type=int, default=1024, help="longer texts fail with 7107; newer tenants have 4000"
    )
    made.add_argument("--service-id", default="", help="the iss of JWTs")
    made.add_argument(
        "--service-secret", default="", help="base64 secret of JWTs; without it none is accepted"
    )
    made.add_argument(
        "--template", action="append", default=[], metavar="ID=TEXT", help="a template the service knows"
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sandbox; return the exit code."""
    line = parser()
    given = line.parse_args(argv)
    if not 0 <= given.port <= 65535:
        line.error("--port takes a number from 0 to 65535.")
    try:
        faults = faults_of(given.fault)
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
        seed=given.seed,
        text_limit=given.text_limit,
        service_id=given.service_id,
        service_secret=given.service_secret,
        templates=templates,
    )
    try:
        return asyncio.run(serve(given.port, settings))
    except KeyboardInterrupt:
        return 0
