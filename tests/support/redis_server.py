"""A real Redis (or Valkey) server on this machine, which a test may stop and start again; skips where none is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
import redis

from tests.support.processes import free_port, until

NAMES = ("redis-server", "valkey-server")


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self._program = next(filter(None, map(shutil.which, NAMES)), None)
        if self._program is None:
            pytest.skip("neither redis-server nor valkey-server is installed")
        self._folder, self._port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        options = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder))
        self._process = subprocess.Popen([self._program, *options], stdout=subprocess.DEVNULL)
        until(self._answers, "Redis")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with redis.from_url(self.url) as one:
                return bool(one.ping())
        except redis.ConnectionError:
            return False
