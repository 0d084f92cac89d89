"""What a partner writes with a client of OpenAPI Generator, package `openapi_generator`: one JSON object of what it saw.

Its arguments are the desk's address, a key, and a receiver's address. `tests/journey/test_generated_clients.py` runs it.
"""

import datetime
import json
import sys
import uuid

from openapi_generator import ApiClient, Configuration
from openapi_generator.api.audiences_api import AudiencesApi
from openapi_generator.api.callback_endpoints_api import CallbackEndpointsApi
from openapi_generator.api.messages_api import MessagesApi
from openapi_generator.api.sends_api import SendsApi
from openapi_generator.exceptions import ApiException
from openapi_generator.models.audience_body import AudienceBody
from openapi_generator.models.endpoint_body import EndpointBody
from openapi_generator.models.lane import Lane
from openapi_generator.models.message_search_body import MessageSearchBody
from openapi_generator.models.plan_body import PlanBody
from openapi_generator.models.problem import Problem
from openapi_generator.models.recipient import Recipient
from openapi_generator.models.recipient_or_number import RecipientOrNumber
from openapi_generator.models.replay_body import ReplayBody
from openapi_generator.models.send_body import SendBody
from openapi_generator.models.send_change import SendChange

REPLAYED = "idempotent-replayed"
LATER = datetime.datetime(2090, 1, 1, tzinfo=datetime.UTC)
TO = [RecipientOrNumber("+447700900001")]


def main(desk: str, key: str, receiver: str) -> None:
    client = ApiClient(Configuration(host=desk, access_token=key))
    sends, mark = SendsApi(client), uuid.uuid4().hex
    called = [RecipientOrNumber(Recipient(number="+447700900001", reference=mark))]
    body = SendBody(text="Hello", recipients=called, client_reference=mark, lane=Lane.URGENT)
    made = sends.sends_create(mark, body)
    again = sends.sends_create_with_http_info(mark, body)
    planned = sends.sends_plan(PlanBody(text="Hello", recipients=TO))

    later = sends.sends_create(f"{mark}-later", SendBody(text="Later", recipients=TO, send_at=LATER))
    moved = sends.sends_reschedule(later.id, SendChange(send_at=LATER + datetime.timedelta(days=1)))
    paused = sends.sends_pause(later.id)
    resumed = sends.sends_resume(later.id)
    cancelled = sends.sends_cancel(later.id)

    listed, page = [], sends.sends_list(limit=1, test=False)
    listed += [one.id for one in page.items]
    while page.next_cursor and made.id not in listed:
        page = sends.sends_list(limit=1, test=False, cursor=page.next_cursor)
        listed += [one.id for one in page.items]
    filtered = sends.sends_list(client_reference=mark)
    sparse = sends.sends_read(made.id, fields="state")
    found = MessagesApi(client).messages_search(MessageSearchBody(number="+447700900001"))

    refused: Problem | None = None
    try:
        sends.sends_create(f"{mark}-bad", SendBody(recipients=[RecipientOrNumber("12")]))
    except ApiException as problem:
        refused = Problem.from_json(problem.body or "")
    assert refused is not None and refused.errors

    endpoints = CallbackEndpointsApi(client)
    endpoint = endpoints.endpoints_create(EndpointBody(name=mark, url=receiver))
    verified = endpoints.endpoints_verify(endpoint.id)
    since = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    replayed = endpoints.endpoints_replay(endpoint.id, ReplayBody(since=since, failed_only=False))

    # this generator knows one content type of an operation, so a file goes as the text that it holds
    rows = AudienceBody(name=mark, csv="mobile,name\n+447700900001,Ada\n")
    audience = AudiencesApi(client).audiences_create(audience_body=rows)
    sent = sends.sends_create(f"{mark}-audience", SendBody(text="Hi $(name)", audience=audience.id))
    seen = {
        "replayed_the_same": again.data.id == made.id
        and REPLAYED in {name.lower() for name in again.headers or {}},
        "planned": planned.recipient_count,
        "moved": moved.send_at == LATER + datetime.timedelta(days=1),
        "held": [paused.held, resumed.held],
        "cancelled": [cancelled.stopped, cancelled.state.value],
        "paged": len(listed) > 1 and made.id in listed,
        "filtered": [one.id for one in filtered.items] == [made.id],
        "sparse": sorted(name for name, value in sparse.to_dict().items() if value is not None),
        "found": made.id in {one.send for one in found.items},
        "refused": [refused.status, refused.errors[0].var_field, refused.errors[0].code.value],
        "verified": verified.verified_at is not None,
        "replay": replayed.replayed,
        "to_audience": sent.recipient_count,
        "messages": [one.reference for one in made.messages or []] == [mark],
    }
    print(json.dumps(seen))


main(*sys.argv[1:])
