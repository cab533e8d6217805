import { once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CardRetention } from '../../src/operations/card-retention';
import type { ImportState } from '../../src/operations/import-ledger';
import { OperationImport } from '../../src/operations/operation-import';
import { Upkeep } from '../../src/schedule/upkeep';
import { ADMIN_KEY, type AdminApp } from '../support/admin-app';
import { eventually } from '../support/eventually';
import type { Json } from '../support/gateway';
import { liveMegabytes } from '../support/live-memory';
import { call, importLines, operation, post, settleAs, startOperationsApp } from '../support/operations';
import { sharedDatabase } from '../support/postgres';

describe('POST /admin/operations/import', () => {
  let admin: AdminApp;
  const shared = sharedDatabase();

  beforeEach(async () => {
    admin = await startOperationsApp({}, shared());
  });
  afterEach(() => admin.close());

  const line = (id: string | number, changes: Record<string, unknown> = {}): string =>
    JSON.stringify(operation(`op-${id}`, changes));
  const lines = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => line(from + at));
  const count = async (table: string): Promise<number> => {
    const [row] = await admin.testDatabase.database.query<{ n: number }>(`select count(*)::int as n from ${table}`);
    return row?.n ?? -1;
  };
  const shown = async (importId: string): Promise<Json> =>
    (await call(admin, 'GET', `/admin/operations/imports/${importId}`)).body;

  function open(key?: string, type = 'application/x-ndjson'): ClientRequest {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': type };
    return httpRequest(`${admin.url}/admin/operations/import`, {
      method: 'POST',
      headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) },
    });
  }

  /** An import whose client goes away after 500 stored lines; returns its id. */
  async function interrupted(key: string, sent: readonly string[], type?: string): Promise<string> {
    const client = open(key, type);
    client.on('error', () => undefined);
    client.write(`${sent.join('\n')}\n`);
    const find = async (): Promise<Json> =>
      ((await call(admin, 'GET', '/admin/operations/imports')).body.items as Json[]).at(-1);
    await eventually('two chunks are stored', async () => (await find())?.lines === 500);
    client.destroy();
    const { importId } = await eventually('it is interrupted', async () => {
      const last = await find();
      return last.status === 'interrupted' && last;
    });
    return importId;
  }

  /** What every replica does once a minute. */
  async function tend(): Promise<void> {
    const { app, testDatabase } = admin;
    const parts = [app.get(CardRetention), app.get(OperationImport), testDatabase.database] as const;
    const upkeep = new Upkeep(new SchedulerRegistry(), ...parts);
    upkeep.onApplicationBootstrap();
    await upkeep.beforeApplicationShutdown();
  }

  const importing = (body: AsyncIterable<Buffer>, key: string): Promise<ImportState> =>
    admin.app.get(OperationImport).run(body, 'application/x-ndjson', key);
  const finished = (taken: number): unknown => expect.objectContaining({ status: 'finished', lines: taken, taken });
  const problem = (detail: string): unknown => expect.objectContaining({ message: expect.stringContaining(detail) });

  it('takes the good lines and keeps every bad one with its number, field and rule', async () => {
    const answer = await importLines(admin, [
      line(1),
      '{"broken',
      '',
      line(2, { amount: 0 }),
      line(1),
      line(1, { amount: 5 }),
      line(3, { currency: 'GBP', amount: 1000, euroExchangeRate: 1.16, amountInEuro: 1150 }),
    ]);
    expect(answer).toMatchObject({
      status: 202,
      body: { status: 'finished', lines: 6, taken: 2, unchanged: 1, refused: 3, warned: 1, nextLine: 8 },
    });
    const { items } = await shown(answer.body.importId);
    expect((items as Json[]).map(({ line: at, kind, findings }: Json) => [at, kind, findings[0].field])).toEqual([
      [2, 'refused', ''],
      [4, 'refused', 'amount'],
      [6, 'conflict', 'operationExtId'],
      [7, 'warned', 'amountInEuro'],
    ]);
  });

  it('reads CSV with a header row, parties in columns of their own, decimals digit for digit', async () => {
    const header =
      'operationExtId,operationType,cardOperationSubType,riskManagementCategory,operationStatus,operationDateTime,sourceCountry,' +
      'destinationCountry,currency,amount,financialFlowDirection,description,initializeScreeningProcesses,fastPayment,' +
      'party1.partyRole,party1.entityType,party1.accountNumber,party1.bic,party1.title,' +
      'party2.partyRole,party2.entityType,party2.accountNumber,party2.title,party3.partyRole';
    const row = (id: string, amount: string, screening = '', fast = ''): string =>
      `${id},CARD_PAYMENT,CARD_PURCHASE,OP_TRANSFER,EXECUTED,2024-08-16T13:00:00Z,LT,ES,EUR,${amount},OUTGOING,"Invoice ""02"", paid",` +
      `${screening},${fast},DEBTOR,ORGANIZATION,LT121000011101001000,TESTLT21,"Us, Inc.",CREDITOR,ORGANIZATION,ES91,Costco,`;
    const answer = await importLines(
      admin,
      [header, row('a', '900719925474099.310', 'PEP|SANCTIONS', 'true'), row('b', '1e3'), row('c', '5').slice(0, -9)],
      { type: 'text/csv; charset=utf-8' },
    );
    expect(answer).toMatchObject({ status: 202, body: { source: 'csv', taken: 1, refused: 2 } });
    const [record] = await admin.testDatabase.database.query<{ payload: string }>(
      'select payload from record_with_state',
    );
    expect(record?.payload).toContain('"amount":900719925474099.310,');
    expect(JSON.parse(record?.payload ?? '')).toMatchObject({
      description: 'Invoice "02", paid',
      initializeScreeningProcesses: ['PEP', 'SANCTIONS'],
      fastPayment: true,
      listOperationParty: [
        { partyRole: 'DEBTOR', title: 'Us, Inc.' },
        { partyRole: 'CREDITOR', accountNumber: 'ES91' },
      ],
    });
  });

  it.each([
    ['an unknown column', 'operationExtId,colour'],
    ['a fifth party', 'operationExtId,party5.title'],
    ['a double column', 'operationExtId,amount,amount'],
    ['no operationExtId', 'amount,currency'],
    ['nothing', ''],
  ])('refuses a CSV file with %s in its header row and leaves its key free', async (_, header) => {
    const answer = await importLines(admin, ['', header, 'x,y'], { type: 'text/csv', key: 'k-0' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: header === '' ? 'line 3' : 'line 2' }] } });
    expect([await count('operation_import'), await count('amlyze_record')]).toEqual([0, 0]);
    expect((await importLines(admin, lines(1), { key: 'k-0' })).body).toMatchObject({ taken: 1 });
  });

  it('refuses other media types and unusable keys', async () => {
    expect((await importLines(admin, [line(1)], { type: 'application/json' })).status).toBe(415);
    expect((await importLines(admin, [line(1)], { key: 'a b' })).status).toBe(400);
    expect((await importLines(admin, [line(1)], { key: 'x'.repeat(256) })).status).toBe(400);
    expect(await count('operation_import')).toBe(0);
  });

  it('gives a finished import back under its key for the same body, and refuses another one', async () => {
    const first = await importLines(admin, lines(3), { key: 'k-1' });
    const again = await importLines(admin, [...lines(3), ''], { key: 'k-1' });
    expect([again.status, again.body]).toEqual([202, first.body]);
    const corrected = [line(0), line(1, { amount: 7 }), line(2)];
    for (const other of [corrected, lines(2), lines(2_000), []]) {
      expect(await importLines(admin, other, { key: 'k-1' })).toMatchObject({
        status: 409,
        body: { importId: first.body.importId, detail: expect.stringContaining('Send it with a new Idempotency-Key') },
      });
    }
    expect(await count('amlyze_record')).toBe(3);
    const csv = await importLines(admin, ['operationExtId'], { key: 'k-1', type: 'text/csv' });
    expect(csv).toMatchObject({ status: 409, body: { detail: expect.stringContaining('ndjson') } });
  });

  it('refuses another body under the key of an interrupted import, and still goes on with the right one', async () => {
    const importId = await interrupted('k-5', lines(600));
    const other = Array.from({ length: 600 }, (_, at) => line(`other-${at}`));
    // As long as what is stored, one line of it different, and too short.
    for (const body of [other, [...lines(499), line('other'), ...lines(100, 500)], lines(400)]) {
      const answer = await importLines(admin, body, { key: 'k-5' });
      expect(answer).toMatchObject({
        status: 409,
        body: { importId, detail: expect.stringContaining('up to line 500') },
      });
      expect(await shown(importId)).toMatchObject({ status: 'interrupted', nextLine: 501, lines: 500 });
    }
    expect(await count('amlyze_record')).toBe(500);
    expect((await importLines(admin, other, { key: 'k-6' })).body).toMatchObject({ lines: 600, taken: 600 });
    expect((await importLines(admin, lines(600), { key: 'k-5' })).body).toMatchObject({
      importId,
      lines: 600,
      taken: 600,
    });
  });

  it('goes on with CSV under the header row that it began with, and with no other', async () => {
    const rows = Array.from({ length: 600 }, (_, at) => `op-${at},note`);
    const importId = await interrupted('k-7', ['operationExtId,description', ...rows], 'text/csv');
    const send = async (header: string): Promise<unknown> =>
      (await importLines(admin, [header, ...rows], { key: 'k-7', type: 'text/csv' })).status;
    expect(await send('operationExtId,merchantName')).toBe(409);
    expect(await send('operationExtId,description')).toBe(202);
    expect(await shown(importId)).toMatchObject({ status: 'finished', lines: 600, refused: 600 });
  });

  it('refuses the key of an import from before bodies were compared, since lines could be lost', async () => {
    const importId = await interrupted('k-8', lines(600));
    await admin.testDatabase.database.query('update operation_import set body_digest = null');
    expect(await importLines(admin, lines(600), { key: 'k-8' })).toMatchObject({
      status: 409,
      body: { importId, detail: expect.stringContaining('cannot be told') },
    });
    expect((await importLines(admin, lines(600), { key: 'k-9' })).body).toMatchObject({ taken: 100, unchanged: 500 });
  });

  it('counts the same file without a key as unchanged', async () => {
    await importLines(admin, lines(700));
    expect((await importLines(admin, lines(700))).body).toMatchObject({ taken: 0, unchanged: 700 });
    expect(await count('amlyze_record')).toBe(700);
  });

  it('goes on after its client went away, without a doubled line or count', async () => {
    const client = open('k-2');
    client.on('error', () => undefined);
    client.write(`${lines(1_234).join('\n')}\n`);
    const state = await eventually('four chunks are stored', async () => {
      const { items } = (await call(admin, 'GET', '/admin/operations/imports')).body;
      return items[0]?.taken === 1_000 && items[0];
    });
    expect(state).toMatchObject({ status: 'running', nextLine: 1_001 });
    client.destroy();
    await eventually('it is interrupted', async () => (await shown(state.importId)).status === 'interrupted');
    const answer = await importLines(admin, lines(1_500), { key: 'k-2' });
    expect(answer.body).toMatchObject({
      importId: state.importId,
      status: 'finished',
      lines: 1_500,
      taken: 1_500,
      unchanged: 0,
    });
    expect([await count('amlyze_record'), await count('operation')]).toEqual([1_500, 1_500]);
  });

  it('lets a newer request with the key go on and shuts the older one out', async () => {
    const older = open('k-3');
    const refused = once(older, 'response') as Promise<[Readable & { statusCode: number }]>;
    older.write(`${lines(600).join('\n')}\n`);
    await eventually('two chunks are stored', async () => (await count('amlyze_record')) === 500);
    expect((await importLines(admin, lines(900), { key: 'k-3' })).body).toMatchObject({ lines: 900, taken: 900 });
    older.end(lines(900, 600).join('\n'));
    expect((await refused)[0].statusCode).toBe(409);
    const { items } = (await call(admin, 'GET', '/admin/operations/imports')).body;
    expect(items).toMatchObject([{ status: 'finished', lines: 900, taken: 900, unchanged: 0 }]);
    expect(await count('amlyze_record')).toBe(900);
  });

  it('refuses another body under the key of a running import, which goes on', async () => {
    const running = open('k-10');
    const answered = once(running, 'response') as Promise<[Readable & { statusCode: number }]>;
    running.write(`${lines(600).join('\n')}\n`);
    await eventually('two chunks are stored', async () => (await count('amlyze_record')) === 500);
    const other = await importLines(admin, [...lines(499), line('other'), ...lines(100, 500)], { key: 'k-10' });
    expect(other).toMatchObject({ status: 409, body: { detail: expect.stringContaining('this body is another one') } });
    expect(await shown(other.body.importId)).toMatchObject({ status: 'running', lines: 500 });
    running.end(lines(300, 600).join('\n'));
    expect((await answered)[0].statusCode).toBe(202);
    expect(await shown(other.body.importId)).toMatchObject({ status: 'finished', lines: 900, taken: 900 });
  });

  it.each([
    ['goes on behind lines', lines(1_000), [problem('Another request goes on'), finished(1_000)]],
    [
      'refuses a body that differs in lines',
      [...lines(520), line('x'), ...lines(479, 521)],
      [finished(1_000), problem('up to line 750')],
    ],
  ])('%s that the older request has stored since it began', async (_, body, outcomes) => {
    const twoChunks = Promise.withResolvers<void>();
    const behind = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const third = (): Promise<unknown> =>
      eventually('a third chunk is stored', async () => (await count('amlyze_record')) === 750);
    async function* older(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${lines(500).join('\n')}\n`);
      twoChunks.resolve();
      await behind.promise;
      yield Buffer.from(`${lines(250, 500).join('\n')}\n`);
      await over.promise;
      yield Buffer.from(lines(250, 750).join('\n'));
    }
    async function* newer(): AsyncGenerator<Buffer> {
      behind.resolve();
      await third();
      yield Buffer.from(body.join('\n'));
    }
    const first = importing(older(), 'k-11').catch((error: unknown) => error);
    await twoChunks.promise;
    const second = await importing(newer(), 'k-11').catch((error: unknown) => error);
    over.resolve();
    expect([await first, second]).toEqual(outcomes);
    expect(await count('amlyze_record')).toBe(1_000);
  });

  it('goes on for as long as its request lives, however slow that is', async () => {
    const slow = open('k-12');
    const answered = once(slow, 'response') as Promise<[Readable & { statusCode: number }]>;
    slow.write(`${lines(300).join('\n')}\n`);
    await eventually('a chunk is stored', async () => (await count('amlyze_record')) === 250);
    const { database } = admin.testDatabase;
    await database.query(`update operation_import set touched_at = now() - interval '11 minutes'`);
    await tend();
    expect(await database.query('select status from operation_import')).toEqual([{ status: 'running' }]);
    // As after a minute in which the process could not say that it lives.
    await database.query(`update operation_import set status = 'interrupted'`);
    slow.end(lines(300, 300).join('\n'));
    expect((await answered)[0].statusCode).toBe(202);
    const rows = await database.query('select status, lines::int from operation_import');
    expect(rows).toEqual([{ status: 'finished', lines: 600 }]);
  });

  it('counts as interrupted as soon as the gateway is told to stop, whether lines come or not', async () => {
    const { database } = admin.testDatabase;
    const [waiting, busy] = [open('k-waits'), open('k-busy')];
    waiting.on('error', () => undefined);
    waiting.write(`${lines(300).join('\n')}\n`);
    const answered = once(busy, 'response') as Promise<[Readable & { statusCode: number }]>;
    busy.write(`${lines(300, 1_000).join('\n')}\n`);
    await eventually('a chunk of both is stored', async () => (await count('amlyze_record')) === 500);
    const stopped = admin.app.get(OperationImport).beforeApplicationShutdown();
    busy.end(lines(300, 1_300).join('\n'));
    await stopped;
    expect((await answered)[0].statusCode).toBe(503);
    expect(await database.query('select status, lines::int from operation_import')).toEqual([
      { status: 'interrupted', lines: 250 },
      { status: 'interrupted', lines: 250 },
    ]);
    waiting.destroy();
  });

  it('counts as interrupted once it has stood still for 10 minutes, and not before', async () => {
    const { database } = admin.testDatabase;
    await database.query(`insert into operation_import (idempotency_key, source, touched_at)
select 'idle-' || minutes, 'ndjson', now() - make_interval(mins => minutes) from unnest(array[9, 11]) minutes`);
    await tend();
    const rows = await database.query('select idempotency_key, status from operation_import order by id');
    expect(rows).toEqual([
      { idempotency_key: 'idle-9', status: 'running' },
      { idempotency_key: 'idle-11', status: 'interrupted' },
    ]);
    expect((await importLines(admin, lines(1), { key: 'idle-11' })).body).toMatchObject({
      status: 'finished',
      taken: 1,
    });
  });

  it('stores what two imports of the same operations have in common once', async () => {
    const all = lines(2_000);
    const [one, two] = await Promise.all([importLines(admin, all), importLines(admin, all.toReversed())]);
    expect([one.body.lines, two.body.lines]).toEqual([2_000, 2_000]);
    expect([one.body.taken + two.body.taken, one.body.unchanged + two.body.unchanged]).toEqual([2_000, 2_000]);
    expect(await count('amlyze_record')).toBe(2_000);
  });

  it('takes corrections of rejected operations from a file', async () => {
    const number = (await post(admin, operation('op-0'))).body.communicationNumber;
    await settleAs(admin, number, 'rejected');
    const answer = await importLines(admin, [line(0, { amount: 7 }), line(0, { amount: 7 }), line(0, { amount: 8 })]);
    expect(answer.body).toMatchObject({ taken: 1, unchanged: 1, refused: 1 });
  });

  it('says where it stopped when the database fails, and goes on from there', async () => {
    const { database } = admin.testDatabase;
    await database.query(`create function boom() returns trigger language plpgsql as $$
begin if new.operation_ext_id = 'op-700' then raise exception 'boom' using errcode = '53100'; end if; return new; end $$`);
    await database.query('create trigger boom before insert on operation for each row execute function boom()');
    const stopped = await importLines(admin, lines(1_200), { key: 'k-4' });
    expect(stopped).toMatchObject({
      status: 503,
      body: {
        type: 'urn:problem-type:import-stopped',
        nextLine: 501,
        detail: expect.stringContaining('Idempotency-Key'),
      },
    });
    expect(await shown(stopped.body.importId)).toMatchObject({ status: 'interrupted', lines: 500, taken: 500 });
    await database.query('drop trigger boom on operation');
    const answer = await importLines(admin, lines(1_200), { key: 'k-4' });
    expect(answer.body).toMatchObject({
      importId: stopped.body.importId,
      status: 'finished',
      taken: 1_200,
      lines: 1_200,
    });
  });

  it('imports 100,000 operations at several thousand lines a second with memory that does not grow with the file', async () => {
    const operations = 100_000;
    const held: number[] = [];
    function* body(): Generator<string> {
      for (let number = 0; number < operations; number += 1) {
        if (number === 50_000) yield 'a broken line in the middle\n';
        if (number % 20_000 === 10_000) held.push(liveMegabytes());
        yield `${line(number)}\n`;
      }
    }
    const startedAt = performance.now();
    const client = open();
    const answered = once(client, 'response');
    await pipeline(Readable.from(body()), client);
    const [response] = (await answered) as [Readable];
    const answer: Json = JSON.parse((await response.toArray()).join(''));
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(answer).toMatchObject({ status: 'finished', taken: operations, refused: 1 });
    expect(await count('amlyze_record')).toBe(operations);
    expect(seconds).toBeLessThan(90);
    // The lines of the last 80,000 operations alone would be twice as much.
    expect(held).toHaveLength(5);
    expect(Math.max(...held) - Number(held[0])).toBeLessThan(25);
  }, 120_000);
});
