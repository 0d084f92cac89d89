"""nginx and Caddy before ports of this machine, as they stream: each body is passed on while it comes."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.processes import ROOT, free_port

MONITORING = "127.0.0.2"  # an address of this machine that may ask for metrics through them
WAIT = 30  # seconds until it listens
DEPLOY = ROOT / "deploy"  # the files that operators copy, which are tried here
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn; worker_processes 1;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {site};
}}
"""
# Caddy passes an offer to upgrade on to HTTP/2, which forbids it, and answers 502.
NO_OFFER = "header_up -Upgrade\n    header_up -Connection"


def tool(name: str) -> str:
    """Where it is; Debian keeps nginx in a folder that only root looks in."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


@contextmanager
def nginx(folder: Path, *behind: int) -> Iterator[tuple[int, int]]:
    """The ports on which it speaks HTTP/1.1, and HTTP/2."""
    port, http2_port = free_port(), free_port()
    site, config = folder / "site.conf", folder / "nginx.conf"
    site.write_text(nginx_site(port, http2_port, *behind))
    config.write_text(NGINX.format(folder=folder, site=site))
    with _running([tool("nginx"), "-p", str(folder), "-c", str(config)], folder, port):
        yield port, http2_port


def nginx_site(port: int, http2_port: int, *behind: int) -> str:
    """Our example, on ports of this machine and without TLS."""
    servers = " ".join(f"server 127.0.0.1:{one};" for one in behind)
    text = (DEPLOY / "nginx" / "textdesk.conf").read_text()
    for written, instead in (
        ("server 127.0.0.1:8000;", servers),
        ("server 127.0.0.1:8010;", servers),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{port}; listen 127.0.0.1:{http2_port} http2;"),
        ("ssl_certificate /etc/nginx/textdesk.crt;", ""),
        ("ssl_certificate_key /etc/nginx/textdesk.key;", ""),
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl http2;", ""),
    ):
        assert text.count(written) == 1, written
        text = text.replace(written, instead)
    return text.replace("allow 192.0.2.0/24;", f"allow {MONITORING};")


@contextmanager
def caddy(folder: Path, *behind: int, http2: bool = False) -> Iterator[tuple[int, int]]:
    """The port on which it speaks both, twice; with `http2` it speaks that to what is behind it, too."""
    port = free_port()
    config = folder / "Caddyfile"
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    if http2:
        assert text.count("flush_interval -1") == 1
        text = text.replace("flush_interval -1", f"flush_interval -1\n{NO_OFFER}")
        text = text.replace("response_header_timeout 2m", "response_header_timeout 2m\nversions h2c")
    config.write_text(text)
    command = [tool("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
    there = " ".join(f"127.0.0.1:{one}" for one in behind)
    site = {
        "SITE": f"http://127.0.0.1:{port}",
        "ADMIN": "off",
        "PROTOCOLS": "h1 h2c",
        "WEB": there,
        "DOORS": there,
        "MONITORING": MONITORING,
    }
    with _running(command, folder, port, **site):
        yield port, port


@contextmanager
def _running(command: list[str], folder: Path, port: int, **variables: str) -> Iterator[None]:
    log = folder / "proxy.log"
    environment = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    } | variables
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
