"""The system's own Chromium (CHROMIUM=/path overrides), because Playwright's download needs the network."""

import os
import shutil

ARGUMENTS = [
    "--no-sandbox",  # build machines run as root, where the sandbox refuses to start; only our own pages are opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


def chromium() -> str | None:
    """Path of the installed browser."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if name and (path := shutil.which(name))), None)
