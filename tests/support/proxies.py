"""nginx and Caddy before a port of this machine, as they stream: each body is passed on while it comes."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.processes import free_port

WAIT = 30  # seconds until it listens
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{http2_port} http2;
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Host $http_host;
      proxy_request_buffering off; proxy_buffering off;
    }}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2c
  }}
}}
http://127.0.0.1:{port} {{
  reverse_proxy {scheme}127.0.0.1:{behind} {{
    flush_interval -1
    header_up Host {{http.request.hostport}}
    {no_offer}
  }}
}}
"""
# Caddy passes an offer to upgrade on to HTTP/2, which forbids it, and answers 502.
NO_OFFER = "header_up -Upgrade\n    header_up -Connection"


def tool(name: str) -> str:
    """Where it is; Debian keeps nginx in a folder that only root looks in."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


@contextmanager
def nginx(folder: Path, behind: int) -> Iterator[tuple[int, int]]:
    """The ports on which it speaks HTTP/1.1, and HTTP/2."""
    port, http2_port = free_port(), free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, http2_port=http2_port, behind=behind))
    with _running([tool("nginx"), "-p", str(folder), "-c", str(config)], folder, port):
        yield port, http2_port


@contextmanager
def caddy(folder: Path, behind: int, *, http2: bool = False) -> Iterator[tuple[int, int]]:
    """The port on which it speaks both, twice; with `http2` it speaks that to what is behind it, too."""
    port = free_port()
    config = folder / "Caddyfile"
    config.write_text(
        CADDY.format(
            port=port, behind=behind, scheme="h2c://" if http2 else "", no_offer=NO_OFFER if http2 else ""
        )
    )
    command = [tool("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
    with _running(command, folder, port):
        yield port, port


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    log = folder / "proxy.log"
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + WAIT
        while not _listens(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
