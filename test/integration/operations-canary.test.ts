import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_KEY } from '../support/admin-app';
import { eventually } from '../support/eventually';
import { GatewayProcess } from '../support/gateway-process';
import { cardOperation, operation, TEST_CARD_NUMBERS } from '../support/operations';

const HOLDER = 'EDUARDO TESTHOLDER';

/** Every form in which a card number could lie somewhere, also cut: a masked one shows six digits before its end. */
function formsOf(digits: string): string[] {
  const groups = digits.match(/.{1,4}/g) ?? [];
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${digits}`).toString('base64');
    // Without the characters that depend on what stands before and behind.
    return text.slice(shift === 0 ? 0 : 4, -4);
  });
  const separated = [' ', '-', '%20', '\t', '\\t', '?'].map((separator) => groups.join(separator));
  return [digits, digits.slice(0, 10), ...separated, Buffer.from(digits).toString('hex'), ...base64];
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

const ACCEPTED = { resultType: 'REQUEST_ACCEPTED' };
const REFUSED = {
  resultType: 'REQUEST_REJECTED',
  errorCode: 'O006',
  errorDescription: `Card ${TEST_CARD_NUMBERS[0]} is blocked: ${TEST_CARD_NUMBERS[1]}`,
};

/** What the validation says of each operation; it quotes the card numbers of those that it finds unfit. */
function validationOf(body: string): object {
  const names = [...body.matchAll(/"operationExtId":"([^"]*)"/g)].map((match) => match[1]);
  const results = names.map((operationExtId) => ({
    operationExtId,
    ...(operationExtId === 'unfit' ? REFUSED : ACCEPTED),
  }));
  return { results };
}

/** Takes what it is sent, and quotes the card numbers of one operation in its refusal, that of the whole validation too. */
async function startQuotingAmlyze(received: string[]): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const validates = request.url?.includes('validate') === true;
      if (!validates) received.push(body);
      const quoting = body.includes('"echoed"');
      response.writeHead(quoting ? 400 : 200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(quoting ? REFUSED : validates ? validationOf(body) : ACCEPTED));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('card numbers planted everywhere', () => {
  const received: string[] = [];
  const heard: string[] = [];
  let dataDir: string;
  let amlyze: Server;
  let gateway: GatewayProcess;

  async function say(
    method: string,
    path: string,
    body?: string | object,
    headers: Record<string, string> = {},
  ): Promise<number> {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${ADMIN_KEY}`, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    heard.push([...response.headers].join('\n'), await response.text());
    return response.status;
  }

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'canary-'));
    chmodSync(dataDir, 0o755);
    amlyze = await startQuotingAmlyze(received);
    gateway = await GatewayProcess.start({
      DATA_DIR: join(dataDir, 'data'),
      AMLYZE_BASE_URL: `http://127.0.0.1:${(amlyze.address() as AddressInfo).port}`,
      AMLYZE_TOKEN: 'token-of-the-test',
      OPERATIONS_IMPORT: 'without-monitoring',
      OPERATIONS_PREFLIGHT: 'true',
      CARD_DATA: 'encrypt',
      LOG_LEVEL: 'trace',
    });
    for (const card of TEST_CARD_NUMBERS) await plant(card);
    await say('POST', '/admin/operations', cardOperation('echoed', TEST_CARD_NUMBERS[0]));
    await say('POST', '/admin/operations/import', `${JSON.stringify(cardOperation('unfit', TEST_CARD_NUMBERS[0]))}\n`, {
      'Content-Type': 'application/x-ndjson',
    });
    await eventually('everything is settled', async () => {
      const open = await Promise.all(
        ['pending', 'sending'].map((state) => gateway.ok('GET', `/admin/records?state=${state}`)),
      );
      return open.every(({ items }) => items.length === 0);
    });
    // A refused one can be requeued, and the reason stays in the audit trail.
    const echoed = await gateway.ok('GET', '/admin/records?operationExtId=echoed');
    const path = `/admin/records/${String(echoed.items[0]?.communicationNumber)}/requeue`;
    expect(await say('POST', path, { reason: `card ${TEST_CARD_NUMBERS[2]} again` })).toBe(200);
    await eventually('it is refused again', async () => {
      const { items } = await gateway.ok('GET', '/admin/records?operationExtId=echoed');
      return items[0].state === 'rejected' && items[0].attempts === 2;
    });
    await look();
  }, 120_000);

  afterAll(async () => {
    await gateway.signal('SIGTERM');
    amlyze.closeAllConnections();
    amlyze.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function plant(card: string): Promise<void> {
    const spaced = card.match(/.{1,4}/g)?.join(' ') ?? card;
    const whole = cardOperation(`good-${card.slice(-4)}`, card);
    // Where they belong, once and again, and with other content.
    for (const amount of [1499, 1499, 5]) await say('POST', '/admin/operations', { ...whole, amount });
    // Where they do not belong.
    for (const faulty of [
      operation('text', { description: `paid with ${card} today`, merchantName: `shop ${spaced}` }),
      operation('top', { cardNumber: card }),
      operation('field', { [card]: 'x', [`x${card}`]: card }),
      operation(card),
      operation(`id-${card}`),
      operation(card.match(/.{1,4}/g)?.join('\t') ?? card),
      operation('long', { [`${'x'.repeat(90)}${card}`]: 'x', [`${'x'.repeat(50)}${card}`]: 'x' }),
      operation('merchant', { merchantExtId: card, terminalCode: card, communicationNumber: card, requester: card }),
      operation('unit', { businessUnit: card }),
      operation('number', { amount: Number(card), operationDateTime: card, currency: card }),
      {
        ...cardOperation('party', `${card}0`),
        listOperationParty: [{ accountNumber: card, identifier: card, title: card }],
      },
    ]) {
      await say('POST', '/admin/operations', faulty);
      await say('POST', '/admin/operations', [faulty, faulty]);
      await say('POST', '/admin/operations/import', `${JSON.stringify(faulty)}\n`, {
        'Content-Type': 'application/x-ndjson',
      });
    }
    await say('POST', '/admin/operations', `{"${card}":1,"${card}":2}`);
    await say('POST', '/admin/operations', `{"${'x'.repeat(25)}${card}":1,"${'x'.repeat(25)}${card}":2}`);
    await say('POST', '/admin/operations', `{"cardNumber":"${card}`);
    await say('POST', '/admin/operations', `{"cardNumber":"${card}"}`, { 'Content-Type': 'text/plain' });
    await say('POST', '/admin/operations', JSON.stringify(whole), {
      'Content-Type': `application/json; charset=${card}`,
    });
    await say('POST', '/admin/operations/import', `{"${card}":1,"${card}":2}\n${card}\n"${card}\n`, {
      'Content-Type': 'application/x-ndjson',
    });
    for (const csv of [`operationExtId,${card}\n`, `operationExtId,description\n${card},${card}\n"${card},x\n`]) {
      await say('POST', '/admin/operations/import', csv, { 'Content-Type': 'text/csv' });
    }
    await say('POST', '/admin/operations/import', '{}', {
      'Content-Type': 'application/x-ndjson',
      'Idempotency-Key': card,
    });
    await say('GET', `/admin/records/${encodeURIComponent(spaced)}`);
    await say('GET', `/admin/accounts/${'x'.repeat(25)}${card}`);
    await say('POST', '/admin/accounts', { [`${'x'.repeat(90)}${card}`]: 'x' });
    await say('POST', '/admin/accounts/import', `{"${'x'.repeat(90)}${card}":"x"}\n`, {
      'Content-Type': 'application/x-ndjson',
    });
    await say('POST', '/admin/connections', { provider: 'mypos', secrets: { [`${'x'.repeat(90)}${card}`]: 'x' } });
    await say('GET', `/admin/records/${card}?state=${card}`, undefined, { 'X-Correlation-Id': card });
    await say('POST', `/admin/records/${card}/requeue`, { reason: card });
    await say('GET', `/admin/operations/imports/${card}`);
    await say('GET', `/admin/accounts/${card}`);
    await say('GET', `/admin/records?operationExtId=${card}`);
    const known = await gateway.ok('GET', `/admin/records?operationExtId=good-${card.slice(-4)}`);
    const number = String(known.items[0]?.communicationNumber);
    await say('POST', `/admin/records/${number}/requeue`, { reason: `the customer's card ${card} was blocked` });
    await say('POST', `/admin/records/${number}/adopt`, { reason: card, evidence: `seen with ${spaced}` });
  }

  /** Everything that an operator can read. */
  async function look(): Promise<void> {
    const { items } = await gateway.ok('GET', '/admin/records?limit=500');
    for (const { communicationNumber } of items) await say('GET', `/admin/records/${communicationNumber}`);
    const imports = await gateway.ok('GET', '/admin/operations/imports?limit=500');
    for (const { importId } of imports.items) await say('GET', `/admin/operations/imports/${importId}`);
    for (const path of ['/admin/status', '/metrics', '/health/ready', '/docs-json']) await say('GET', path);
  }

  /** Which forms of which numbers are in there. */
  const found = (text: string): string[] =>
    TEST_CARD_NUMBERS.flatMap((card) => formsOf(card).filter((form) => text.includes(form)));

  it('reach AMLYZE whole where they belong', () => {
    for (const card of TEST_CARD_NUMBERS) {
      expect(received.some((body) => body.includes(`"cardNumber":"${card}"`))).toBe(true);
    }
  });

  it('are masked where AMLYZE quotes them', async () => {
    const { items } = await gateway.ok('GET', '/admin/records?operationExtId=echoed');
    expect(items).toMatchObject([
      { state: 'rejected', errorDescription: 'Card 411111******1111 is blocked: 555555******4444' },
    ]);
  });

  it('are masked where its validation quotes them', () => {
    expect(gateway.output).toContain('400: REQUEST_REJECTED O006 Card 411111******1111 is blocked');
    expect(heard.join('\n')).toContain("AMLYZE's validation: O006 Card 411111******1111 is blocked");
  });

  it('are in no answer', () => {
    expect(heard.length).toBeGreaterThan(200);
    expect(found(heard.join('\n'))).toEqual([]);
    expect(heard.join('\n')).toContain('411111******1111');
    expect(heard.join('\n')).not.toContain(HOLDER);
  });

  it('are in no line of the log', () => {
    expect(gateway.output.length).toBeGreaterThan(1_000);
    expect(found(gateway.output)).toEqual([]);
    expect(gateway.output).not.toContain(HOLDER);
  });

  it('are in no file of the database, its log and its write-ahead log', async () => {
    await gateway.signal('SIGTERM');
    const files = filesUnder(dataDir);
    expect(files.some((path) => path.includes('pg_wal'))).toBe(true);
    const bad = files.filter((path) => {
      const bytes = readFileSync(path).toString('latin1');
      return found(bytes).length > 0 || bytes.includes(HOLDER);
    });
    expect(bad).toEqual([]);
    // The search can see: what is stored in clear is found.
    expect(files.some((path) => readFileSync(path).includes('echoed'))).toBe(true);
  }, 60_000);
});
