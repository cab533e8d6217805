import { openApiDocument } from '../../src/admin/open-api';
import { ADMIN_KEY, type AdminApp } from '../support/admin-app';
import { answerOf, undescribed } from '../support/described';
import type { Json } from '../support/gateway';
import { call, operation, post, settleAs, startOperationsApp } from '../support/operations';
import { sharedDatabase } from '../support/postgres';

describe('POST /admin/operations', () => {
  let admin: AdminApp;
  const shared = sharedDatabase();

  beforeEach(async () => {
    admin = await startOperationsApp({}, shared());
  });
  afterEach(() => admin.close());

  const count = async (table: string): Promise<number> => {
    const [row] = await admin.testDatabase.database.query<{ n: number }>(`select count(*)::int as n from ${table}`);
    return row?.n ?? -1;
  };
  const explain = async (communicationNumber: string): Promise<Json> =>
    (await call(admin, 'GET', `/admin/records/${communicationNumber}`)).body;

  it('takes one operation and freezes it in AMLYZE words with the digits that came', async () => {
    const body = JSON.stringify(operation('one')).replace('1499', '900719925474099.310');
    const answer = await post(admin, body);
    expect(answer).toMatchObject({ status: 202, body: { result: 'taken', warnings: [], dropped: [] } });
    const record = await explain(answer.body.communicationNumber);
    expect(record).toMatchObject({
      kind: 'operation',
      operationExtId: 'one',
      state: 'pending',
      revision: 1,
      accountExtId: null,
      balanceType: null,
      value: null,
      frozenRequestNote: null,
    });
    expect(record.frozenRequest).toContain('"amount":900719925474099.310,');
    expect(JSON.parse(record.frozenRequest)).toMatchObject({
      communicationNumber: answer.body.communicationNumber,
      requester: 'open-banking-gateway',
      sourceOfRiskLevel: 'IMPORT',
    });
    expect(answer.body.communicationNumber).toMatch(/^obg-[0-9a-f]{12}-o-20240816-[0-9a-f]{32}$/);
  });

  it('answers one, a list, a stream and the pages beside them as the OpenAPI document says, and takes its examples', async () => {
    const document: Json = openApiDocument(admin.app);
    const seen: string[] = [];
    const send = async (path: string, type?: string, body?: string): Promise<Json> => {
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const method = type === undefined && body === undefined ? 'GET' : 'POST';
      const answer = await answerOf(admin.url, path, { key: ADMIN_KEY, method, headers, ...(body && { body }) });
      seen.push(...undescribed(document, answer));
      return answer;
    };
    const examplesOf = (path: string): [string, Json][] =>
      Object.entries<Json>(document.paths[path].post.requestBody.content).map(([type, { schema }]) => [
        type,
        schema.example,
      ]);
    const [[type, example] = ['', {}]] = examplesOf('/admin/operations');
    expect(await send('/admin/operations', type, JSON.stringify(example))).toMatchObject({ status: 202 });
    expect(await send('/admin/operations', type, JSON.stringify({ ...example, amount: 1 }))).toMatchObject({
      status: 409,
    });
    const young = operation('young', { operationDateTime: new Date().toISOString() });
    expect(await send('/admin/operations', type, JSON.stringify([young, example, {}]))).toMatchObject({ status: 202 });
    for (const [streamed, lines] of examplesOf('/admin/operations/import')) {
      expect((await send('/admin/operations/import', streamed, lines)).body).toMatchObject({
        unchanged: 1,
        refused: 0,
      });
    }
    const record = (await send('/admin/records')).body.items[0].communicationNumber;
    const pages = ['operations/imports', 'operations/imports/2', `records/${record}`, 'records/%', 'status'];
    for (const path of [...pages.map((page) => `/admin/${page}`), '/health/live', '/health/ready']) await send(path);
    for (const path of ['amlyze/resume', `records/${record}/requeue`, 'records/requeue']) {
      await send(`/admin/${path}`, 'application/json', '{}');
      await send(`/admin/${path}`, 'application/json', '{');
      await send(`/admin/${path}`, 'text/plain', 'x');
    }
    expect(seen).toEqual([]);
  });

  it('refuses an invalid one whole, names every field and stores nothing', async () => {
    const answer = await post(admin, operation('bad', { amount: 0, currency: 'ZZZ', unheardOf: 1 }));
    expect(answer).toMatchObject({ status: 400, body: { type: 'urn:problem-type:invalid-input' } });
    expect((answer.body.errors as Json[]).map(({ field }: Json) => field)).toEqual(
      expect.arrayContaining(['amount', 'currency', 'unheardOf']),
    );
    expect([await count('operation_import'), await count('operation'), await count('amlyze_record')]).toEqual([
      0, 0, 0,
    ]);
  });

  it.each(['9999-12-31T23:59:59-05:00', '0001-01-01T00:00:00+10:00'])(
    'names the time %s, which UTC cannot write with four digits of a year',
    async (time) => {
      const fields = ['operationDateTime', 'dateAuthorized', 'dateSettled'];
      const answer = await post(admin, operation('far', Object.fromEntries(fields.map((field) => [field, time]))));
      expect([answer.status, (answer.body.errors as Json[]).map(({ field }: Json) => field).sort()]).toEqual([
        400,
        fields.toSorted(),
      ]);
    },
  );

  it.each([
    ['no JSON', '{"operationExtId":', 400],
    ['a double key', '{"operationExtId":"a","operationExtId":"b"}', 400],
    ['text behind it', '{} {}', 400],
    ['an empty list', '[]', 400],
    ['nothing', '', 400],
    ['a list of 1,001', JSON.stringify(Array(1001).fill({})), 400],
    ['5 MB', `"${'x'.repeat(5_000_000)}"`, 413],
  ])('refuses %s', async (_, body, status) => {
    expect((await post(admin, body)).status).toBe(status);
    expect(await count('operation_import')).toBe(0);
  });

  it('reads its body under every spelling of its path', async () => {
    expect((await call(admin, 'POST', '/Admin/Operations/', operation('a'))).status).toBe(202);
    expect((await call(admin, 'POST', '/admin/operations?x=1', operation('b'))).status).toBe(202);
  });

  it('takes the good ones of a list and names every refused one with its place', async () => {
    const answer = await post(admin, [
      operation('a'),
      operation('b', { action: 'UPDATE' }),
      'no object',
      operation('c', { currency: 'GBP', amount: 1000, euroExchangeRate: 1.16, amountInEuro: 1150 }),
      operation('a'),
      operation('a', { amount: 2 }),
    ]);
    expect(answer).toMatchObject({ status: 202, body: { taken: 2, unchanged: 1, warnings: [] } });
    expect(answer.body.refused).toMatchObject([
      { line: 2, operationExtId: 'b', errors: [{ field: 'action' }] },
      { line: 3, operationExtId: null, errors: [{ field: '' }] },
      { line: 6, operationExtId: 'a', errors: [{ field: 'operationExtId' }] },
    ]);
    expect(answer.body.warned).toMatchObject([{ line: 4, warnings: [{}] }]);
    const shown = (await call(admin, 'GET', `/admin/operations/imports/${answer.body.importId}`)).body;
    expect(shown).toMatchObject({ status: 'finished', lines: 6, taken: 2, unchanged: 1, refused: 3, warned: 1 });
    expect((shown.items as Json[]).map(({ line, kind }: Json) => [line, kind])).toEqual([
      [2, 'refused'],
      [3, 'refused'],
      [4, 'warned'],
      [6, 'conflict'],
    ]);
  });

  it('pages through the findings of an import without losing one', async () => {
    const refused = Array.from({ length: 7 }, (_, number) => operation(`x${number}`, { amount: 0 }));
    const { importId } = (await post(admin, refused)).body;
    const lines: number[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const path = `/admin/operations/imports/${importId}?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`;
      const { body }: { body: Json } = await call(admin, 'GET', path);
      lines.push(...(body.items as Json[]).map(({ line }: Json) => line));
      cursor = body.nextCursor;
    }
    expect(lines).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect((await call(admin, 'GET', '/admin/operations/imports')).body.items).toMatchObject([
      { importId, refused: 7 },
    ]);
    expect((await call(admin, 'GET', '/admin/operations/imports/999')).status).toBe(404);
  });

  it('warns of operations younger than 24 hours', async () => {
    const operationDateTime = new Date(Date.now() - 3_600_000).toISOString();
    const one = await post(admin, operation('young', { operationDateTime }));
    expect(one.body.warnings).toMatchObject([{ field: 'operationDateTime' }]);
    const list = await post(admin, [operation('young-too', { operationDateTime })]);
    expect(list.body.warnings).toEqual([expect.stringContaining('younger than 24 hours')]);
    const shown = (await call(admin, 'GET', `/admin/operations/imports/${list.body.importId}`)).body;
    expect(shown.warnings).toEqual(list.body.warnings);
  });

  describe('comes again', () => {
    it('with the same content: the first result stands, whatever its spelling and state', async () => {
      const first = await post(admin, operation('again', { amount: 10 }));
      const number = first.body.communicationNumber;
      const respelled = JSON.stringify(
        operation('again', { operationDateTime: '2024-08-16T16:00:00+03:00', amount: 77 }),
      ).replace('77', '10.00');
      for (const state of ['accepted', 'rejected', 'held'] as const) {
        await settleAs(admin, number, state);
        const again = await post(admin, respelled);
        expect(again).toMatchObject({ status: 202, body: { result: 'unchanged', communicationNumber: number } });
      }
      expect([await count('operation'), await count('amlyze_record')]).toEqual([1, 1]);
    });

    it.each([
      ['pending', undefined, false],
      ['accepted', 'accepted', false],
      ['held', 'held', false],
      ['rejected after doubt', 'rejected', true],
    ] as const)('with other content while the first is %s: 409 with both hashes', async (_, state, inDoubt) => {
      const first = await post(admin, operation('other'));
      if (state) await settleAs(admin, first.body.communicationNumber, state, inDoubt);
      const answer = await post(admin, operation('other', { amount: 1500 }));
      expect(answer.status).toBe(409);
      expect(answer.body.existing).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(answer.body.received).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(answer.body.existing).not.toBe(answer.body.received);
      expect(answer.body.detail).toContain(first.body.communicationNumber);
      expect(await count('operation_import')).toBe(1);
    });

    it('with other content after a definite rejection: the next revision under a new number', async () => {
      const first = (await post(admin, operation('wrong'))).body.communicationNumber;
      await settleAs(admin, first, 'rejected');
      const second = await post(admin, operation('wrong', { amount: 1500 }));
      expect(second).toMatchObject({ status: 202, body: { result: 'taken' } });
      expect(second.body.communicationNumber).not.toBe(first);
      expect(await explain(second.body.communicationNumber)).toMatchObject({
        revision: 2,
        supersedes: first,
        supersedesReason: 'corrected',
      });
      expect(await explain(first)).toMatchObject({ supersededBy: second.body.communicationNumber });
      // The first one must not get out any more: AMLYZE would have both.
      const requeue = await call(admin, 'POST', `/admin/records/${first}/requeue`, {
        reason: 'try',
        confirmDouble: true,
      });
      expect(requeue).toMatchObject({ status: 409, body: { detail: expect.stringContaining('later revision') } });
    });

    it('under another business unit: another operation', async () => {
      const units = [undefined, 'LT', 'ES'];
      const answers = await Promise.all(units.map((businessUnit) => post(admin, operation('same', { businessUnit }))));
      expect(answers.map(({ body }) => body.result)).toEqual(['taken', 'taken', 'taken']);
      expect(new Set(answers.map(({ body }) => body.communicationNumber)).size).toBe(3);
    });

    it('at the same moment many times: taken once', async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => post(admin, operation('race'))));
      expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(202));
      expect(answers.filter(({ body }) => body.result === 'taken')).toHaveLength(1);
      expect(await count('amlyze_record')).toBe(1);
    });

    it('corrected at the same moment in many ways: one revision', async () => {
      const first = (await post(admin, operation('race'))).body.communicationNumber;
      await settleAs(admin, first, 'rejected');
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, at) => post(admin, operation('race', { amount: at + 1 }))),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(7).fill(409)]);
      expect(await count('amlyze_record')).toBe(2);
    });
  });

  it('requeues a rejected one with its number, and with a new number as the next revision of the same content', async () => {
    const first = (await post(admin, operation('r'))).body.communicationNumber;
    await settleAs(admin, first, 'rejected');
    expect(await call(admin, 'POST', `/admin/records/${first}/requeue`, {})).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'reason' }] },
    });
    const same = await call(admin, 'POST', `/admin/records/${first}/requeue`, { reason: 'fixed there' });
    expect(same).toMatchObject({ status: 200, body: { communicationNumber: first } });
    await settleAs(admin, first, 'held', true);
    const path = `/admin/records/${first}/requeue`;
    expect(await call(admin, 'POST', path, { reason: 'x', newNumber: true })).toMatchObject({ status: 409 });
    const next = await call(admin, 'POST', path, { reason: 'x', newNumber: true, confirmDouble: true });
    const [old, revised] = [await explain(first), await explain(next.body.communicationNumber)];
    expect(revised).toMatchObject({ revision: 2, supersedes: first, supersedesReason: 'new-number', state: 'pending' });
    expect(revised.frozenRequest).toBe(String(old.frozenRequest).replace(first, String(next.body.communicationNumber)));
    // Sent again, the content is known under its latest number.
    expect((await post(admin, operation('r'))).body).toMatchObject({
      result: 'unchanged',
      communicationNumber: next.body.communicationNumber,
    });
  });

  it('writes down who brought what', async () => {
    await post(admin, [operation('a'), operation('b', { amount: 0 })]);
    const entries = await admin.testDatabase.database.query('select actor, action, target, detail from audit_entry');
    expect(entries).toEqual([
      {
        actor: 'admin',
        action: 'operation.import',
        target: 'operation-import:1',
        detail: { fromLine: 1, toLine: 2, taken: 1, unchanged: 0, refused: 1 },
      },
    ]);
  });

  it('finds a record by the operation it tells of', async () => {
    const { communicationNumber } = (await post(admin, operation('look-me-up'))).body;
    await post(admin, operation('another'));
    const { items } = (await call(admin, 'GET', '/admin/records?operationExtId=look-me-up')).body;
    expect(items).toMatchObject([
      { communicationNumber, kind: 'operation', operationExtId: 'look-me-up', value: null },
    ]);
  });
});

describe('operations by configuration', () => {
  let admin: AdminApp;
  const shared = sharedDatabase();

  afterEach(() => admin.close());

  it('are off by default, and the answer says which variable turns them on', async () => {
    admin = await startOperationsApp({ OPERATIONS_IMPORT: '' }, shared());
    for (const [path, type] of [
      ['/admin/operations', 'application/json'],
      ['/admin/operations/import', 'application/x-ndjson'],
    ] as const) {
      const answer = await call(admin, 'POST', path, operation('off'), { 'Content-Type': type });
      expect(answer).toMatchObject({ status: 409 });
      expect(answer.body.detail).toContain('OPERATIONS_IMPORT=without-monitoring');
    }
    const status = (await call(admin, 'GET', '/admin/status')).body;
    expect(status.operations).toMatchObject({ import: 'off' });
  });

  it('are shown in the status once they are on', async () => {
    admin = await startOperationsApp({ OPERATIONS_DELIVERY: 'batch', CARD_DATA_RETENTION: '2h' }, shared());
    const status = (await call(admin, 'GET', '/admin/status')).body;
    expect(status.operations).toEqual({
      import: 'without-monitoring',
      delivery: 'batch',
      preflight: false,
      cardData: 'refuse',
      cardDataRetentionHours: 2,
    });
  });

  it('go to the batch where that is wanted, unless they ask for screening', async () => {
    admin = await startOperationsApp({ OPERATIONS_DELIVERY: 'batch', AMLYZE_BUSINESS_UNIT: 'LT' }, shared());
    await post(admin, [operation('plain'), operation('screened', { initializeScreeningProcesses: ['PEP'] })]);
    const rows = await admin.testDatabase.database.query(
      'select operation_ext_id, channel, business_unit, payload from record_with_state order by id',
    );
    expect(rows).toMatchObject([
      { operation_ext_id: 'plain', channel: 'operation-batch', business_unit: 'LT' },
      { operation_ext_id: 'screened', channel: 'operation-single', business_unit: 'LT' },
    ]);
    expect(rows.map(({ payload }) => 'sourceOfRiskLevel' in JSON.parse(String(payload)))).toEqual([false, true]);
  });

  it('carry the numbers of the caller where that is configured, each number once', async () => {
    admin = await startOperationsApp({ OPERATIONS_CALLER_NUMBERS: 'true' }, shared());
    const first = await post(admin, operation('a', { communicationNumber: 'mine-1' }));
    expect(first.body).toMatchObject({ result: 'taken', communicationNumber: 'mine-1' });
    expect(await post(admin, operation('b', { communicationNumber: 'mine-1' }))).toMatchObject({ status: 409 });
    const list = await post(admin, [
      operation('c', { communicationNumber: 'mine-2' }),
      operation('d', { communicationNumber: 'mine-2' }),
    ]);
    expect(list.body).toMatchObject({ taken: 1, refused: [{ line: 2, errors: [{ field: 'communicationNumber' }] }] });
    await settleAs(admin, 'mine-1', 'rejected');
    expect(await post(admin, operation('a', { amount: 5, communicationNumber: 'mine-1' }))).toMatchObject({
      status: 409,
    });
    expect(await post(admin, operation('a', { amount: 5, communicationNumber: 'mine-3' }))).toMatchObject({
      status: 202,
    });
    await settleAs(admin, 'mine-3', 'rejected');
    const requeued = await call(admin, 'POST', '/admin/records/mine-3/requeue', { reason: 'x', newNumber: true });
    expect(requeued.body.communicationNumber).toMatch(/^obg-/);
  });
});
