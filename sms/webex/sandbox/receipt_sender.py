"""Takes receipts to their addresses over kept connections, and tries again where the provider would."""

import asyncio
import hmac
import json
import re
import ssl
from collections import deque
from collections.abc import Callable, Coroutine
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httptools

from sms.webex.sandbox.receipts import SandboxReceipt
from sms.webex.sandbox.settings import Settings

GAPS = {"60_60_60": (1.0, 1.0, 1.0), "30_60_120": (0.5, 1.0, 2.0)}
"""Waits before the three retries, in units of the sixty seconds of the documents."""

CONNECTIONS = 12  # to each receiver
READ = 64 * 1024
NO_RETRY = frozenset(
    [
        *(202, 203, 204, 205, 206, 207, 208, 226, *range(300, 309), 400, 402, 404, 405, 406, 407, 408),
        *(409, 410, 411, 414, 415, 416, 418, 505),
    ]
)
"""Answers after which the provider does not try again. 200 is success; what is not here is tried again, and a switch decides on 201."""

_SIGNED = {True: "webhook", False: "notify_url"}
_TARGET = re.compile(r"https?://[!-~]+")

T = TypeVar("T")


@cache
def tls() -> ssl.SSLContext:
    """The one TLS context; SSL_CERT_FILE in the environment adds a private authority."""
    return ssl.create_default_context()


class ReplyReader:
    """What httptools reads of one answer. Informational ones are skipped, and the answer to a HEAD has no body."""

    def __init__(self, method: bytes) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.head_only = method == b"HEAD"
        self.status = 0
        self.whole = self.keep_alive = False

    def on_headers_complete(self) -> None:
        """Note the status, which is enough of an answer that ends with its connection."""
        status = self.parser.get_status_code()
        if status >= 200:
            self.status = status
            self.whole = self.head_only

    def on_message_complete(self) -> None:
        if self.status:
            self.whole = True
            self.keep_alive = not self.head_only and self.parser.should_keep_alive()


class SandboxConnection:
    """One connection, opened when it is needed and kept as long as the receiver does."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.host = host
        self.port = port
        self.tls = tls
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: bytes, data: bytes, seconds: float) -> int | str:
        """The status of the answer to a request, or why there is none.

        A kept connection that turns out to have ended costs no attempt: the request goes out on a new one.
        """
        try:
            async with asyncio.timeout(seconds):
                if self.streams and (answer := await self._exchange(*self.streams, method, data)):
                    return answer
                self.streams = await asyncio.open_connection(self.host, self.port, ssl=self.tls)
                return await self._exchange(*self.streams, method, data) or "connection lost"
        except TimeoutError:
            return "timeout"
        except (OSError, UnicodeError) as error:
            return f"no connection: {error}"

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: bytes, data: bytes
    ) -> int | str:
        """Like ``ask``, over the connection that there is; "" when it ended before a byte of an answer came."""
        reply = ReplyReader(method)
        lost = ""
        try:
            writer.write(data)
            while not reply.whole and (part := await reader.read(READ)):
                lost = "connection lost"
                reply.parser.feed_data(part)
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade):
            reply.keep_alive = False
        finally:
            if not reply.keep_alive:
                self.close()
        return reply.status or lost

    def close(self) -> None:
        if self.streams:
            self.streams[1].transport.abort()
            self.streams = None


class Receiver:
    """One scheme, host and port: the receipts that wait, and the connections that are free."""

    def __init__(self, scheme: str, host: str, port: int, host_header: str) -> None:
        self.secure = scheme == "https"
        self.host = host
        self.port = port
        self.tail = (
            f" HTTP/1.1\r\nHost: {host_header}\r\nContent-Type: application/json\r\n"
            "User-Agent: webex-connect-sandbox\r\nAccept: */*\r\n"
        ).encode("ascii")
        self.queue: deque[SandboxReceipt] = deque()
        self.idle: list[SandboxConnection] = []
        self.busy = 0

    def connection(self) -> SandboxConnection:
        """The connection that was used last, since it is the likeliest to be open, or a new one."""
        if self.idle:
            return self.idle.pop()
        return SandboxConnection(self.host, self.port, tls() if self.secure else None)


class ReceiptSender:
    """Takes receipts to their addresses, and tries again where the provider would."""

    def __init__(
        self,
        report: Callable[[SandboxReceipt, int | str], None],
        settings: Callable[[], Settings],
        after: Callable[..., None],
    ) -> None:
        """Call ``report`` with each attempt; ``settings`` gives those of the moment, ``after(seconds, do, *given)`` puts off."""
        self.report = report
        self.settings = settings
        self.after = after
        self.heads: dict[str, asyncio.Task[int | str]] = {}  # by URL; those that failed are forgotten
        self.receivers: dict[tuple[str, str], Receiver] = {}
        self.tasks: set[asyncio.Task[Any]] = set()
        self.waiting = 0  # receipts queued or under way

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def deliver(self, receipt: SandboxReceipt) -> None:
        receipt.attempt += 1
        settings = self.settings()
        receiver = self._receiver(receipt.url)
        if receiver is None or (settings.switches.plain_notify_url == "invalid" and not receiver.secure):
            self._end(receipt, "invalid notifyUrl")  # the message is neither refused nor is this tried again
        elif receipt.auth and receipt.auth not in settings.auths:
            self._end(receipt, "parked: unknown notifyUrlAuthId")
        else:
            self.waiting += 1
            receiver.queue.append(receipt)
            if receiver.busy < CONNECTIONS:
                receiver.busy += 1
                self._spawn(self._work(receiver))

    async def _work(self, receiver: Receiver) -> None:
        """Post what waits for a receiver over one connection, until nothing does."""
        connection = receiver.connection()
        try:
            while receiver.queue:
                receipt = receiver.queue.popleft()
                if refused := await self._refused_head(connection, receiver, receipt):
                    self._end(receipt, refused)
                else:
                    self._settle(receipt, await self._ask(connection, receiver, receipt, b"POST"))
                self.waiting -= 1
            receiver.idle.append(connection)
        except asyncio.CancelledError:
            connection.close()
            raise
        finally:
            receiver.busy -= 1

    async def _ask(
        self, connection: SandboxConnection, receiver: Receiver, receipt: SandboxReceipt, method: bytes
    ) -> int | str:
        settings = self.settings()
        body = receipt.body if method == b"POST" else b""
        parts = urlsplit(receipt.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        extra = b""
        switches = settings.switches
        if settings.hub_secret and body and switches.signed in (_SIGNED[receipt.webhook], "both"):
            prefix = switches.signature_prefix == "yes"
            value = sign(settings.hub_secret, body, algorithm=switches.signature_hash, prefix=prefix)
            if switches.signature_of == "compact":  # as the provider's example for receivers reads
                body = json.dumps(json.loads(body)).encode()
            extra = b"x-hub-signature: %s\r\n" % value
        if body and receipt.auth in settings.auths:
            extra += "{}: {}\r\n".format(*settings.auths[receipt.auth]).encode("latin-1")
        data = b"%s %s%sx-wx-gtrid: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
            *(method, target.encode("ascii"), receiver.tail),
            *(receipt.gtrid.encode(), extra, len(body), body),
        )
        return await connection.ask(method, data, settings.attempt_seconds)

    async def _refused_head(
        self, connection: SandboxConnection, receiver: Receiver, receipt: SandboxReceipt
    ) -> str:
        """What a URL answered to the HEAD before its first POST, if not 200; a later receipt asks again."""
        if self.settings().switches.head_check == "no":
            return ""
        asked = self.heads.get(receipt.url)
        if asked is None:
            asked = self.heads[receipt.url] = self._spawn(self._ask(connection, receiver, receipt, b"HEAD"))
        answer = await asked
        if answer == 200:
            return ""
        if self.heads.get(receipt.url) is asked:
            del self.heads[receipt.url]
        return f"HEAD: {answer}"

    def _receiver(self, url: str) -> Receiver | None:
        """The receiver of a URL, or None when it is no http(s) URL."""
        if not _TARGET.fullmatch(url):
            return None
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return None
        if not parts.hostname:
            return None
        origin = (parts.scheme, parts.netloc)
        if origin not in self.receivers:
            header = parts.netloc.rpartition("@")[2]
            self.receivers[origin] = Receiver(parts.scheme, parts.hostname, port, header)
        return self.receivers[origin]

    def _settle(self, receipt: SandboxReceipt, answer: int | str) -> None:
        """Note an attempt, and come back later where the provider would."""
        settings = self.settings()
        done = answer == 200 or answer in NO_RETRY
        done = done or (answer == 201 and settings.switches.answer_201 == "success")
        gaps = GAPS[settings.switches.retry_gaps]
        if not done and receipt.attempt <= len(gaps):
            self.after(gaps[receipt.attempt - 1] * settings.retry_seconds, self.deliver, receipt)
        self._end(receipt, answer)

    def _end(self, receipt: SandboxReceipt, answer: int | str) -> None:
        self.report(receipt, answer)
        if receipt.tried is not None and not receipt.tried.done():
            receipt.tried.set_result(None)

    def forget(self) -> None:
        for task in self.tasks:
            task.cancel()
        for receiver in self.receivers.values():
            for connection in receiver.idle:
                connection.close()
        self.receivers.clear()
        self.heads.clear()
        self.waiting = 0

    async def close(self) -> None:
        self.forget()
        await asyncio.gather(*self.tasks, return_exceptions=True)


def sign(secret: str, body: bytes, *, algorithm: str, prefix: bool) -> bytes:
    """``x-hub-signature``: 40, 64 or 128 hex digits, behind ``sha256=`` or the like where there is a prefix."""
    digest = hmac.digest(secret.encode(), body, algorithm).hex()
    return f"{algorithm}={digest}".encode() if prefix else digest.encode()
