"""PgBouncer by the file of `deploy/`, before a database of this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg

from tests.support import proxies
from tests.support.processes import free_port, until


@contextmanager
def pgbouncer(folder: Path, url: str) -> Iterator[str]:
    """Before the database of `url`; the URL that leads through it."""
    to, port = urlsplit(url), free_port()
    listed, config = folder / "userlist.txt", folder / "pgbouncer.ini"
    listed.write_text(f'"{to.username}" "{unquote(to.password or "")}"\n')
    text = (proxies.DEPLOY / "pgbouncer" / "pgbouncer.ini").read_text()
    for written, instead in (
        (
            "host=127.0.0.1 port=5432 dbname=textdesk",
            f"host={to.hostname} port={to.port or 5432} dbname={to.path[1:]}",
        ),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("/etc/pgbouncer/userlist.txt", str(listed)),
    ):
        assert text.count(written) == 1, written
        text = text.replace(written, instead)
    config.write_text(text)
    folder.chmod(0o755)  # it refuses to run as root
    command = [proxies.tool("pgbouncer"), "-u", "nobody", str(config)]
    with (folder / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    named = to._replace(netloc=f"{to.netloc.rpartition('@')[0]}@127.0.0.1:{port}", path="/textdesk")
    try:
        until(lambda: _answers(named.geturl()), f"PgBouncer answers ({folder / 'pgbouncer.log'})")
        yield named.geturl()
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3):
            return True
    except psycopg.OperationalError:
        return False
