"""The limit for the ingest bench: a raw ASGI endpoint with HMAC and group commit, and nothing else. Reads DATABASE_URL."""

import asyncio
import hashlib
import hmac
import os

import psycopg

SECRET = b"bench-secret"
_waiting: list[tuple[bytes, bytes, asyncio.Future]] = []
_wake = asyncio.Event()
_tasks: list[asyncio.Task] = []


async def _writer() -> None:
    connection = await psycopg.AsyncConnection.connect(os.environ["DATABASE_URL"], autocommit=True)
    await connection.execute("CREATE TABLE IF NOT EXISTS bare_receipt (dedupe bytea PRIMARY KEY, raw bytea)")
    while True:
        await _wake.wait()
        _wake.clear()
        while _waiting:
            batch, _waiting[:] = _waiting[:500], _waiting[500:]
            await connection.execute(
                "INSERT INTO bare_receipt SELECT * FROM unnest(%b::bytea[], %b::bytea[]) ON CONFLICT DO NOTHING",
                [[key for key, _, _ in batch], [raw for _, raw, _ in batch]],
            )
            for _, _, done in batch:
                done.set_result(None)


async def application(scope, receive, send) -> None:
    if scope["type"] != "http":
        return
    if not _tasks:
        _tasks.append(asyncio.create_task(_writer()))
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    raw, more = b"", True
    while more:
        part = await receive()
        raw += part.get("body", b"")
        more = part.get("more_body", False)
    given = dict(scope["headers"]).get(b"x-hub-signature", b"").removeprefix(b"sha256=")
    status = 401
    if hmac.compare_digest(given, hmac.digest(SECRET, raw, "sha256").hex().encode()):
        done = asyncio.get_running_loop().create_future()
        _waiting.append((hashlib.blake2b(raw, digest_size=16).digest(), raw, done))
        _wake.set()
        await done
        status = 200
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
