"""What speaks S3: for checkpoints of the audit and for archives. Its errors are OSErrors, as every other place raises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NEEDS = "needs boto3: install textdesk[s3]."
MODES = ("COMPLIANCE", "GOVERNANCE")
ABSENT = ("NoSuchKey", "404", "NotFound")


class BucketUnreadable(OSError):
    """It does not let us read, as it should be for a key that only adds."""


def connected(**where: str) -> Any:
    """A client, for any number of threads of this process. Credentials, and what is not given, come from the variables that every
    S3 client reads (`AWS_ACCESS_KEY_ID` …, `AWS_ENDPOINT_URL_S3`)."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise OSError(f"S3 {NEEDS}") from None
    patience = Config(
        connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}
    )
    try:
        return boto3.client("s3", config=patience, **where)
    except (BotoCoreError, ValueError) as problem:
        raise OSError(str(problem)) from problem


@contextmanager
def errors() -> Iterator[None]:
    """What a client says within, as an OSError: of the kind that a folder would raise, where it has one."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as problem:
        code = problem.response.get("Error", {}).get("Code", "")
        if code in ABSENT:
            raise FileNotFoundError(str(problem)) from problem
        if code in ("PreconditionFailed", "412"):
            raise FileExistsError(str(problem)) from problem
        if code == "NotImplemented":
            raise NotImplementedError(str(problem)) from problem
        raise (BucketUnreadable if code in ("AccessDenied", "403") else OSError)(str(problem)) from problem
    except BotoCoreError as problem:
        raise OSError(str(problem)) from problem


@contextmanager
def client() -> Iterator[Any]:
    found = connected()
    with errors():
        yield found
