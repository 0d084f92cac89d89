"""What a partner writes with a client of openapi-python-client, package `openapi_python`: one JSON object of what it saw.

Its arguments are the desk's address, a key, and a receiver's address. `tests/journey/test_generated_clients.py` runs it.
"""

import datetime
import io
import json
import sys
import uuid
from typing import TypeVar

import httpx
from openapi_python import AuthenticatedClient
from openapi_python.api.audiences import audiences_create
from openapi_python.api.callback_endpoints import endpoints_create, endpoints_replay, endpoints_verify
from openapi_python.api.messages import messages_search
from openapi_python.api.sends import (
    sends_cancel,
    sends_create,
    sends_list,
    sends_pause,
    sends_plan,
    sends_read,
    sends_reschedule,
    sends_resume,
)
from openapi_python.models.audience_upload import AudienceUpload
from openapi_python.models.endpoint_body import EndpointBody
from openapi_python.models.lane import Lane
from openapi_python.models.message_search_body import MessageSearchBody
from openapi_python.models.plan_body import PlanBody
from openapi_python.models.problem import Problem
from openapi_python.models.recipient import Recipient
from openapi_python.models.replay_body import ReplayBody
from openapi_python.models.send_body import SendBody
from openapi_python.models.send_change import SendChange
from openapi_python.types import File

T = TypeVar("T")
LATER = datetime.datetime(2090, 1, 1, tzinfo=datetime.UTC)


def good(answer: T | Problem | None) -> T:
    assert answer is not None and not isinstance(answer, Problem), answer
    return answer


def main(desk: str, key: str, receiver: str) -> None:
    client = AuthenticatedClient(desk, token=key, timeout=httpx.Timeout(60))
    mark = uuid.uuid4().hex
    body = SendBody(
        text="Hello",
        recipients=[Recipient(number="+447700900001", reference=mark)],
        client_reference=mark,
        lane=Lane.URGENT,
    )
    made = good(sends_create.sync(client=client, body=body, idempotency_key=mark))
    again = sends_create.sync_detailed(client=client, body=body, idempotency_key=mark)
    planned = good(sends_plan.sync(client=client, body=PlanBody(text="Hello", recipients=["+447700900001"])))

    held = SendBody(text="Later", recipients=["+447700900001"], send_at=LATER)
    later = good(sends_create.sync(client=client, body=held, idempotency_key=f"{mark}-later"))
    moved = good(
        sends_reschedule.sync(later.id, client=client, body=SendChange(LATER + datetime.timedelta(days=1)))
    )
    paused = good(sends_pause.sync(later.id, client=client))
    resumed = good(sends_resume.sync(later.id, client=client))
    cancelled = good(sends_cancel.sync(later.id, client=client))

    listed, page = [], good(sends_list.sync(client=client, limit=1, test=False))
    listed += [one.id for one in page.items]
    while page.next_cursor and made.id not in listed:
        page = good(sends_list.sync(client=client, limit=1, test=False, cursor=page.next_cursor))
        listed += [one.id for one in page.items]
    filtered = good(sends_list.sync(client=client, client_reference=mark))
    sparse = good(sends_read.sync(made.id, client=client, fields="state"))
    found = good(messages_search.sync(client=client, body=MessageSearchBody(number="+447700900001")))

    refused = sends_create.sync(
        client=client, body=SendBody(recipients=["12"]), idempotency_key=f"{mark}-bad"
    )
    assert isinstance(refused, Problem) and refused.errors

    endpoint = good(endpoints_create.sync(client=client, body=EndpointBody(name=mark, url=receiver)))
    verified = good(endpoints_verify.sync(endpoint.id, client=client))
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    replayed = good(
        endpoints_replay.sync(endpoint.id, client=client, body=ReplayBody(since=since, failed_only=False))
    )

    rows = File(payload=io.BytesIO(b"mobile,name\n+447700900001,Ada\n"), file_name="rows.csv")
    audience = good(audiences_create.sync(client=client, body=AudienceUpload(name=mark, file=rows)))
    to_audience = SendBody(text="Hi $(name)", audience=audience.id)
    sent = good(sends_create.sync(client=client, body=to_audience, idempotency_key=f"{mark}-audience"))
    seen = {
        "replayed_the_same": again.parsed == made and "idempotent-replayed" in again.headers,
        "planned": planned.recipient_count,
        "moved": moved.send_at == LATER + datetime.timedelta(days=1),
        "held": [paused.held, resumed.held],
        "cancelled": [cancelled.stopped, cancelled.state.value],
        "paged": len(listed) > 1 and made.id in listed,
        "filtered": [one.id for one in filtered.items] == [made.id],
        "sparse": sorted(sparse.to_dict()),
        "found": made.id in {one.send for one in found.items},
        "refused": [refused.status, refused.errors[0].field, refused.errors[0].code.value],
        "verified": verified.verified_at is not None,
        "replay": replayed.replayed,
        "to_audience": sent.recipient_count,
        "messages": [one.reference for one in made.messages or []] == [mark],
    }
    print(json.dumps(seen))


main(*sys.argv[1:])
