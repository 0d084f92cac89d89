"""The courier: takes receipts to their addresses over kept connections, and tries again where the provider would."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

from sms.webex.sandbox.receipts import Receipt
from sms.webex.sandbox.settings import Settings
from sms.webex.sandbox.signature import sign

GAPS = {"60_60_60": (1.0, 1.0, 1.0), "30_60_120": (0.5, 1.0, 2.0)}
"""Waits before the three retries, in units of the sixty seconds of the documents."""

CONNECTIONS = 12  # to each receiver
NO_RETRY = frozenset(
    [
        *(202, 203, 204, 205, 206, 207, 208, 226, *range(300, 309), 400, 402, 404, 405, 406, 407, 408),
        *(409, 410, 411, 414, 415, 416, 418, 505),
    ]
)
"""Answers after which the provider does not try again. 200 is success; what is not here is tried again, and a switch decides on 201."""

_TARGET = re.compile(r"https?://[!-~]+")


class Line(asyncio.Protocol):
    """One kept connection to a receiver, with at most one receipt under way."""

    def __init__(self, receiver: Receiver) -> None:
        """Belong to ``receiver``."""
        self.receiver = receiver
        self.transport: asyncio.Transport
        self.parser = httptools.HttpResponseParser(self)
        self.job: Receipt | None = None
        self.deadline = 0.0
        self.used = False  # has carried a receipt before this one
        self.heard = False  # the answer has begun
        self.status = 0  # the answer's head is complete
        self.timed_out = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def send(self, job: Receipt, data: bytes, deadline: float) -> None:
        """Post a receipt."""
        self.job = job
        self.deadline = deadline
        self.heard = False
        self.status = 0
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self.heard = True
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.transport.abort()

    def on_headers_complete(self) -> None:
        """Note the status, for an answer that ends with its connection."""
        self.status = self.parser.get_status_code()
        job = self.job
        if (
            job is not None and job.method == b"HEAD" and self.status >= 200
        ):  # no body follows, whatever its length
            self.job = None
            self.transport.abort()
            self.receiver.answered(self, job, self.status, keep=False)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.parser.get_status_code() < 200:
            return
        job, self.job = self.job, None
        keep = self.parser.should_keep_alive() and not self.transport.is_closing()
        self.used = True
        if job is None:
            self.transport.abort()
            return
        if not keep:
            self.transport.close()
        self.receiver.answered(self, job, self.status, keep=keep)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report what was under way."""
        job, self.job = self.job, None
        self.receiver.lost(self)
        if job is None:
            return
        if self.used and not self.heard and not self.timed_out and not job.again:
            job.again = True
            self.receiver.submit(job, first=True)
        elif self.status >= 200 and not self.timed_out:
            self.receiver.courier.settle(job, self.status)
        else:
            self.receiver.courier.settle(job, "timeout" if self.timed_out else "connection lost")


class Receiver:
    """One scheme, host and port, with its connections and its queue."""

    def __init__(self, courier: Courier, scheme: str, host: str, port: int, host_header: str) -> None:
        """Start without a connection."""
        self.courier = courier
        self.host = host
        self.port = port
        self.tls = courier.tls() if scheme == "https" else None
        self.tail = (
            f" HTTP/1.1\r\nHost: {host_header}\r\nContent-Type: application/json\r\n"
            "User-Agent: webex-connect-sandbox\r\nAccept: */*\r\n"
        ).encode("ascii")
        self.queue: deque[Receipt] = deque()
        self.idle: list[Line] = []
        self.lines: set[Line] = set()
        self.opening = 0

    def submit(self, job: Receipt, *, first: bool = False) -> None:
        """Send as soon as a connection is free."""
        if first:
            self.queue.appendleft(job)
        else:
            self.queue.append(job)
        self.feed()

    def feed(self) -> None:
        """Give queued receipts to free connections and open more while there is need."""
        loop = self.courier.loop
        while self.queue and self.idle:
            line = self.idle.pop()
            if not line.transport.is_closing():
                job = self.queue.popleft()
                line.send(job, self.request(job), loop.time() + self.courier.settings().attempt_seconds)
        while self.opening < len(self.queue) and len(self.lines) + self.opening < CONNECTIONS:
            self.opening += 1
            self.courier.spawn(self.open())

    def request(self, job: Receipt) -> bytes:
        """The bytes of a post."""
        parts = urlsplit(job.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        settings = self.courier.settings()
        switches = settings.switches
        extra = b""
        if settings.hub_secret and job.body:
            value = sign(
                settings.hub_secret,
                job.body,
                algorithm=switches.signature_hash,
                prefix=switches.signature_prefix == "yes",
            )
            extra = b"x-hub-signature: %s\r\n" % value
        if job.auth in settings.auths:
            extra += "{}: {}\r\n".format(*settings.auths[job.auth]).encode("latin-1")
        return b"%s %s%sx-wx-gtrid: %s\r\n%sContent-Length: %d\r\n\r\n%s" % (
            job.method,
            target.encode("ascii"),
            self.tail,
            job.gtrid.encode(),
            extra,
            len(job.body),
            job.body,
        )

    async def open(self) -> None:
        """Open one connection; failing that, one queued receipt has failed an attempt."""
        try:
            async with asyncio.timeout(self.courier.settings().attempt_seconds):
                _, line = await self.courier.loop.create_connection(
                    lambda: Line(self), self.host, self.port, ssl=self.tls
                )
        except (OSError, TimeoutError, UnicodeError) as error:
            self.opening -= 1
            if self.queue:
                reason = "timeout" if isinstance(error, TimeoutError) else f"no connection: {error}"
                self.courier.settle(self.queue.popleft(), reason)
        else:
            self.opening -= 1
            if self.courier.closed:  # nobody would close this one
                line.transport.abort()
                return
            self.lines.add(line)
            self.idle.append(line)
        self.feed()

    def answered(self, line: Line, job: Receipt, status: int, *, keep: bool) -> None:
        """Free the connection for the next receipt and settle this one."""
        if keep:
            self.idle.append(line)
        self.feed()
        self.courier.settle(job, status)

    def lost(self, line: Line) -> None:
        """Forget a connection."""
        self.lines.discard(line)
        if line in self.idle:
            self.idle.remove(line)
        if self.queue:
            self.courier.loop.call_soon(self.feed)

    def sweep(self, now: float) -> None:
        """Drop connections whose receipt has waited too long for its answer."""
        for line in list(self.lines):
            if line.job is not None and line.deadline < now:
                line.timed_out = True
                line.transport.abort()


class Courier:
    """Takes receipts to their addresses, and tries again where the provider would."""

    def __init__(
        self, report: Callable[[Receipt, int | str], None], settings: Callable[[], Settings]
    ) -> None:
        """Tell ``report`` of each attempt; ``settings`` gives those of the moment."""
        self.loop = asyncio.get_running_loop()
        self.report = report
        self.settings = settings
        self.era = 0
        self.checked: dict[
            str, list[Receipt] | None
        ] = {}  # URL to those who wait for its HEAD; None when good
        self.receivers: dict[str, Receiver | None] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.context: ssl.SSLContext | None = None
        self.closed = False
        self.sweeping = self.loop.call_later(0.1, self.sweep)

    def tls(self) -> ssl.SSLContext:
        """The one TLS context; SSL_CERT_FILE in the environment adds a private authority."""
        if self.context is None:
            self.context = ssl.create_default_context()
        return self.context

    def spawn(self, work: Any) -> None:
        """Run a coroutine and keep it alive."""
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def deliver(self, job: Receipt) -> None:
        """Try to deliver a receipt."""
        job.attempt += 1
        job.again = False
        settings = self.settings()
        receiver = self.receiver(job.url)
        if receiver is None or (receiver.tls is None and settings.switches.plain_notify_url == "invalid"):
            self.report(job, "invalid notifyUrl")  # the message is neither refused nor is this tried again
            self.finish(job)
        elif job.auth and job.auth not in settings.auths:
            self.report(job, "parked: unknown notifyUrlAuthId")
            self.finish(job)
        elif settings.switches.head_check == "yes" and self.checked.get(job.url, ()) is not None:
            self.check(receiver, job)
        else:
            receiver.submit(job)

    def check(self, receiver: Receiver, job: Receipt) -> None:
        """Keep a receipt until its URL has answered a HEAD."""
        waiting = self.checked.get(job.url)
        if waiting is not None:
            waiting.append(job)
            return
        self.checked[job.url] = [job]
        head = Receipt(
            job.url, b"", msisdn="", message_id="", correlation="", code="", status="", method=b"HEAD"
        )
        receiver.submit(head)

    def checked_with(self, url: str, answer: int | str) -> None:
        """Send those that waited for a HEAD, or give them up; a later receipt asks again."""
        waiting = self.checked.pop(url, None) or []
        if answer == 200:
            self.checked[url] = None
        for job in waiting:
            receiver = self.receiver(url)
            if answer == 200 and receiver is not None:
                receiver.submit(job)
            else:
                self.report(job, f"HEAD: {answer}")
                self.finish(job)

    def receiver(self, url: str) -> Receiver | None:
        """The receiver of a URL, or None when it is no http(s) URL."""
        end = url.find("/", 8)
        base = url if end < 0 else url[:end]
        if not _TARGET.fullmatch(url):
            return None
        if base in self.receivers:
            return self.receivers[base]
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            host = parts.hostname or ""
            header = parts.netloc.rpartition("@")[2]
            made = Receiver(self, parts.scheme, host, port, header) if host else None
        except ValueError:
            made = None
        self.receivers[base] = made
        return made

    def settle(self, job: Receipt, answer: int | str) -> None:
        """Note an attempt, and come back later where the provider would."""
        if job.method == b"HEAD":
            self.checked_with(job.url, answer)
            return
        self.report(job, answer)
        settings = self.settings()
        done = answer == 200 or answer in NO_RETRY
        done = done or (answer == 201 and settings.switches.answer_201 == "success")
        gaps = GAPS[settings.switches.retry_gaps]
        if not done and job.attempt <= len(gaps):
            gap = gaps[job.attempt - 1] * settings.retry_seconds
            self.loop.call_later(gap, self.retry, self.era, job)
        self.finish(job)

    def retry(self, era: int, job: Receipt) -> None:
        """Try again, unless everything was forgotten meanwhile."""
        if era == self.era:
            self.deliver(job)

    def finish(self, job: Receipt) -> None:
        """Tell whoever waits for the first attempt."""
        if job.done is not None:
            done, job.done = job.done, None
            done()

    def sweep(self) -> None:
        """Look for overdue answers about once a second."""
        now = self.loop.time()
        for receiver in self.receivers.values():
            if receiver is not None:
                receiver.sweep(now)
        self.sweeping = self.loop.call_later(min(1.0, self.settings().attempt_seconds / 4), self.sweep)

    def forget(self) -> None:
        """Drop every receipt that is waiting, under way or to be tried again."""
        self.era += 1
        self.checked.clear()
        self.drop()

    def waiting(self) -> int:
        """How many receipts are queued or under way."""
        return sum(
            len(one.queue) + sum(line.job is not None for line in one.lines)
            for one in self.receivers.values()
            if one is not None
        )

    def close(self) -> None:
        """Drop every connection, those too that are being opened."""
        self.closed = True
        self.sweeping.cancel()
        self.drop()

    def drop(self) -> None:
        """Empty the queues and cut the connections."""
        for receiver in self.receivers.values():
            if receiver is not None:
                receiver.queue.clear()
                for line in list(receiver.lines):
                    line.job = None
                    line.transport.abort()
