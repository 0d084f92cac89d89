"""`python -m portal.keys` prints a fresh SECRET_KEY, FIELD_KEYS and AUDIT_KEYS, before any settings exist."""

import secrets
import sys

from cryptography.fernet import Fernet

if __name__ == "__main__":
    sys.stdout.write(f"SECRET_KEY={secrets.token_urlsafe(64)}\nFIELD_KEYS={Fernet.generate_key().decode()}\n")
    sys.stdout.write(f"AUDIT_KEYS={secrets.token_urlsafe(48)}\n")
