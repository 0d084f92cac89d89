// What a partner writes with a client of @hey-api/openapi-ts: one JSON object of what it saw.
// Its arguments are the desk's address, a key, and a receiver's address. tests/journey/test_generated_clients.py compiles and runs it.
import { createClient, createConfig, formDataBodySerializer } from './sdk/client';
import * as sdk from './sdk/sdk.gen';
import type { AudienceUpload, Problem, SendBody } from './sdk/types.gen';

declare const process: { argv: string[]; exit(code: number): never };
const [desk, key, receiver] = process.argv.slice(2) as [string, string, string];
const client = createClient(createConfig({ baseUrl: desk, auth: key }));
const LATER = '2090-01-01T00:00:00.000Z';
const EVEN_LATER = '2090-01-02T00:00:00.000Z';

function good<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

async function main(): Promise<void> {
  const mark = crypto.randomUUID();
  const once = (suffix = '') => ({ 'Idempotency-Key': mark + suffix });
  const body: SendBody = {
    text: 'Hello',
    recipients: [{ number: '+447700900001', reference: mark }],
    client_reference: mark,
    lane: 'urgent',
  };
  const made = good(await sdk.sendsCreate({ client, body, headers: once() }));
  const again = await sdk.sendsCreate({ client, body, headers: once() });
  const planned = good(await sdk.sendsPlan({ client, body: { text: 'Hello', recipients: ['+447700900001'] } }));

  const held: SendBody = { text: 'Later', recipients: ['+447700900001'], send_at: LATER };
  const later = good(await sdk.sendsCreate({ client, body: held, headers: once('-later') }));
  const path = { id: later.id };
  const moved = good(await sdk.sendsReschedule({ client, path, body: { send_at: EVEN_LATER } }));
  const paused = good(await sdk.sendsPause({ client, path }));
  const resumed = good(await sdk.sendsResume({ client, path }));
  const cancelled = good(await sdk.sendsCancel({ client, path }));

  const listed: number[] = [];
  let cursor: string | undefined;
  do {
    const page = good(await sdk.sendsList({ client, query: { limit: 1, test: false, cursor } }));
    listed.push(...page.items.map((one) => one.id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor && !listed.includes(made.id));
  const filtered = good(await sdk.sendsList({ client, query: { client_reference: mark } }));
  const sparse = good(await sdk.sendsRead({ client, path: { id: made.id }, query: { fields: 'state' } }));
  const found = good(await sdk.messagesSearch({ client, body: { number: '+447700900001' } }));

  const bad = await sdk.sendsCreate({ client, body: { recipients: ['12'] }, headers: once('-bad') });
  const refused: Problem = bad.error!;

  const endpoint = good(await sdk.endpointsCreate({ client, body: { name: mark, url: receiver } }));
  const verified = good(await sdk.endpointsVerify({ client, path: { id: endpoint.id } }));
  const since = new Date(Date.now() - 86_400_000).toISOString();
  const replayed = good(
    await sdk.endpointsReplay({ client, path: { id: endpoint.id }, body: { since, failed_only: false } }),
  );

  // this generator knows one content type of an operation: a form is said to be one
  const upload: AudienceUpload = {
    name: mark,
    file: new File(['mobile,name\n+447700900001,Ada\n'], 'rows.csv'),
  };
  const audience = good(
    await sdk.audiencesCreate({
      client,
      body: upload as never,
      bodySerializer: formDataBodySerializer.bodySerializer,
      headers: { 'Content-Type': null } as never,
    }),
  );
  const toAudience: SendBody = { text: 'Hi $(name)', audience: audience.id };
  const sent = good(await sdk.sendsCreate({ client, body: toAudience, headers: once('-audience') }));

  console.log(
    JSON.stringify({
      replayed_the_same:
        again.data?.id === made.id && again.response.headers.get('Idempotent-Replayed') === 'true',
      planned: planned.recipient_count,
      moved: moved.send_at === EVEN_LATER,
      held: [paused.held, resumed.held],
      cancelled: [cancelled.stopped, cancelled.state],
      paged: listed.length > 1 && listed.includes(made.id),
      filtered: filtered.items.length === 1 && filtered.items[0]!.id === made.id,
      sparse: Object.keys(sparse).sort(),
      found: found.items.some((one) => one.send === made.id),
      refused: [refused.status, refused.errors?.[0]?.field, refused.errors?.[0]?.code],
      verified: verified.verified_at !== null,
      replay: replayed.replayed,
      to_audience: sent.recipient_count,
      messages: made.messages?.length === 1 && made.messages[0]!.reference === mark,
    }),
  );
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
