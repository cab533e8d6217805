import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { check, isSound, violationsOf } from './checker/check';
import type { Finding, InvariantId } from './checker/evidence';
import { loadEvidence, type Sources } from './checker/load';
import { hashOf, story, storySql, write, type Story } from './checker/story';

/** One lie told to the checker: in the database, or in what stands outside of it. */
interface Doctored {
  breaks: InvariantId;
  /** Others that the same lie breaks. */
  also?: InvariantId[];
  what: string;
  sql?: string;
  /** The lie changes the schema, so its database tells no other. */
  ownDatabase?: boolean;
  outside?: (told: Story) => void;
}

const NO_TRIGGERS = 'set local session_replication_role = replica;';
const NO_RULES =
  'alter table amlyze_record drop constraint amlyze_record_number_unique; alter table sync_run drop constraint sync_run_slot;';
const LATER = '2026-03-05T07:00:00Z';
/** A record of account 1 with everything but number, revision and value as the first one. */
const copyRecord = (number: string, revision: number, cause = 'null, null'): string => `
insert into amlyze_record (id, communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value, revision,
  payload, created_at, supersedes, supersedes_reason)
select 3, '${number}', kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value, ${revision},
  replace(payload, 'n-1', '${number}'), created_at, ${cause} from record_with_state where id = 1;
insert into record_state (record_id, channel, account_id, balance_type, balance_at, revision, run_id, state, next_attempt_at, created_at, settled_at)
select 3, channel, account_id, balance_type, balance_at, ${revision}, run_id, state, null, created_at, settled_at from record_state where record_id = 1;
insert into delivery_attempt (id, endpoint, records, replica, started_at, finished_at, outcome) values (2, 'balances', 1, 'r-1', '${LATER}', '${LATER}', 'answered');
insert into delivery_result (record_id, attempt_id, verdict) values (3, 2, 'accepted');`;
const alsoAccepted =
  (number: string, change: object = {}) =>
  (told: Story): void => {
    const [first] = told.ledger;
    if (first) told.ledger.push({ ...first, communicationNumber: number, ...change });
  };
const line = <K extends Story['history'][number]['kind']>({ history }: Story, kind: K) => {
  const found = history.find((each): each is Extract<Story['history'][number], { kind: K }> => each.kind === kind);
  if (!found) throw new Error(`no ${kind} in the story`);
  return found;
};

const LIES: readonly Doctored[] = [
  { breaks: 'I1', also: ['I10'], what: 'a run that never ends', sql: 'update sync_run set finished_at = null' },
  {
    breaks: 'I1',
    what: 'an account of a run without an outcome',
    sql: `${NO_TRIGGERS} update balance_reading set final = false where account_id = 2;
insert into waiting_account (run_id, account_id, connection_id, subject_id) values (1, 2, 1, 2)`,
  },
  {
    breaks: 'I1',
    what: 'an account that left its run without a trace',
    sql: `${NO_TRIGGERS} update balance_reading set final = false where account_id = 2`,
  },
  {
    breaks: 'I1',
    what: 'a registered account that no run concerns',
    outside: ({ history }) =>
      history.push({ at: LATER, kind: 'script', bank: 'mypos', account: '5003', accountExtId: 'A-3', value: '1' }),
  },
  {
    breaks: 'I1',
    what: 'a reading whose record is gone',
    sql: `${NO_TRIGGERS} update balance_reading set communication_number = 'n-9' where id = 1`,
  },
  {
    breaks: 'I1',
    also: ['I3', 'I10'],
    what: 'a record that is still pending',
    sql: `update record_state set state = 'pending', settled_at = null, next_attempt_at = now() where record_id = 1`,
  },
  {
    breaks: 'I2',
    what: 'two accepted records of one business key and revision',
    sql: copyRecord('n-3', 1),
    outside: alsoAccepted('n-3', { balanceAt: '2026-03-05T06:00:01.000Z' }),
  },
  {
    breaks: 'I2',
    what: 'a further revision with the same value and no cause',
    sql: copyRecord('n-3', 2, `'n-1', 'bank-restatement'`),
    outside: alsoAccepted('n-3', { balanceAt: '2026-03-05T06:00:01.000Z' }),
  },
  { breaks: 'I2', what: 'the same number twice in the ledger', outside: alsoAccepted('n-1') },
  {
    breaks: 'I2',
    also: ['I3'],
    what: 'the same figure of one instant under a number that nobody knows',
    outside: alsoAccepted('n-8'),
  },
  { breaks: 'I3', what: 'accepted here, unknown to AMLYZE', outside: ({ ledger }) => ledger.pop() },
  {
    breaks: 'I3',
    what: 'accepted by AMLYZE, rejected without doubt here',
    sql: `update record_state set state = 'rejected', reason = 'x' where record_id = 1`,
  },
  {
    breaks: 'I4',
    also: ['I8'],
    what: 'a second send with other bytes',
    outside: ({ history }) =>
      history.push({
        at: LATER,
        kind: 'call',
        call: 2,
        to: 'amlyze',
        method: 'POST',
        path: '/batch',
        items: [{ number: 'n-1', hash: hashOf(2) }],
      }),
  },
  {
    breaks: 'I4',
    what: 'bytes that are not the frozen ones',
    sql: `${NO_TRIGGERS} update amlyze_record set payload = payload || ' ' where id = 1`,
  },
  {
    breaks: 'I4',
    what: 'a send of a number that has no record',
    sql: `${NO_TRIGGERS} update balance_reading set communication_number = 'n-2'; delete from delivery_result where record_id = 1; update delivery_attempt set records = 1; delete from record_state where record_id = 1; delete from amlyze_record where id = 1`,
    outside: ({ ledger }) => ledger.shift(),
  },
  {
    breaks: 'I5',
    what: 'a digit less in the ledger',
    outside: ({ ledger }) => Object.assign(ledger[0] ?? {}, { value: '10.5' }),
  },
  {
    breaks: 'I5',
    what: 'a figure that the bank never said',
    outside: (told) => Object.assign(line(told, 'script'), { value: '10.51' }),
  },
  {
    breaks: 'I5',
    what: 'a figure that the bank said only later',
    outside: (told) => Object.assign(line(told, 'script'), { at: LATER }),
  },
  {
    breaks: 'I6',
    what: 'two runs of one slot',
    ownDatabase: true,
    sql: `${NO_RULES} insert into sync_run (id, trigger, slot, scope, started_at, finished_at) select n, 'schedule', '${LATER}', '{}', '2026-03-05T06:00:00Z', '2026-03-05T06:00:00.1Z' from generate_series(2, 3) n`,
  },
  {
    breaks: 'I6',
    what: 'a read of a bank that no ledger row allowed',
    sql: 'delete from access_ledger where subject_id = 1',
  },
  {
    breaks: 'I6',
    what: 'a request that was sent twice',
    outside: ({ bankRequests }) => bankRequests.push(...bankRequests.slice(0, 1)),
  },
  {
    breaks: 'I6',
    what: 'a fifth read within 24 hours',
    sql: `insert into access_ledger (subject_id, consent_id, purpose, request_id) select 1, 1, 'resync', ('00000000-0000-4000-8000-00000000001' || n)::uuid from generate_series(1, 4) n`,
    outside: ({ bankRequests }) =>
      [1, 2, 3, 4].forEach((n) =>
        bankRequests.push({
          at: '2026-03-06T05:59:00.000Z',
          path: '/v1/accounts/5001/balances',
          status: 200,
          account: '5001',
          requestId: `00000000-0000-4000-8000-00000000001${n}`,
        }),
      ),
  },
  {
    breaks: 'I7',
    what: 'more attempts than allowed',
    sql: 'update record_state set attempts = 13 where record_id = 1',
  },
  {
    breaks: 'I7',
    also: ['I8'],
    what: 'more calls in flight than allowed',
    outside: (told) =>
      told.history.splice(told.history.indexOf(line(told, 'call')), 0, { ...line(told, 'call'), call: 7 }),
  },
  {
    breaks: 'I7',
    what: 'more memory than allowed',
    outside: (told) => Object.assign(line(told, 'memory'), { rssBytes: 1_001 }),
  },
  {
    breaks: 'I8',
    what: 'an attempt without the log row of one record',
    sql: `${NO_TRIGGERS} delete from delivery_result where record_id = 2`,
  },
  {
    breaks: 'I8',
    what: 'an attempt that has no end',
    sql: `${NO_TRIGGERS} update delivery_attempt set finished_at = null, outcome = null, lease_until = now(), record_ids = '{1,2}'`,
  },
  {
    breaks: 'I8',
    what: 'a send more than attempts',
    outside: (told) => told.history.push({ ...line(told, 'call'), call: 2 }),
  },
  {
    breaks: 'I8',
    what: 'accepted without such a verdict in the log',
    sql: `${NO_TRIGGERS} update delivery_result set verdict = 'in-doubt' where record_id = 1`,
  },
  {
    breaks: 'I9',
    what: 'a healthy connection that was too slow',
    outside: (told) => Object.assign(line(told, 'bound'), { p95Ms: 699 }),
  },
  {
    breaks: 'I9',
    what: 'a bound without any reading',
    outside: (told) => Object.assign(line(told, 'bound'), { connectionId: '2' }),
  },
  {
    breaks: 'I10',
    also: ['I9'],
    what: 'a record that was settled too late',
    sql: `update record_state set settled_at = '2026-03-05T06:00:01.501Z' where record_id = 1`,
  },
];

describe('the checker', () => {
  let folder: string;
  let shared: TestDatabase;
  const own: TestDatabase[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'checker-'));
    shared = await createTestDatabase();
  });
  beforeEach(() => shared.empty());
  afterAll(async () => {
    for (const database of [shared, ...own]) await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const databaseFor = async ({ ownDatabase }: Partial<Doctored>): Promise<TestDatabase> => {
    if (!ownDatabase) return shared;
    const database = await createTestDatabase();
    own.push(database);
    return database;
  };
  const tell = async (lie: Partial<Doctored> = {}): Promise<Sources> => {
    const testDatabase = await databaseFor(lie);
    for (const sql of [storySql(), lie.sql ?? '']) await testDatabase.dataSource.query(sql);
    const told = story();
    lie.outside?.(told);
    return write(told, folder, testDatabase.url);
  };
  const broken = (findings: readonly Finding[]): string[] =>
    findings.filter(({ violations }) => violations.length > 0).map(({ invariant }) => invariant);

  it('finds nothing in a story that is true, and has judged it by every invariant', async () => {
    const findings = check(await loadEvidence(await tell()));
    expect(violationsOf(findings)).toEqual([]);
    expect(findings.filter(({ checked }) => checked > 0).map(({ invariant }) => invariant)).toEqual([
      'I1',
      'I2',
      'I3',
      'I4',
      'I5',
      'I6',
      'I7',
      'I8',
      'I9',
      'I10',
    ]);
  });

  it.each(LIES)('sees $breaks broken by $what', async (lie) => {
    const findings = check(await loadEvidence(await tell(lie)));
    expect({ broken: broken(findings), violations: violationsOf(findings) }).toMatchObject({
      broken: [lie.breaks, ...(lie.also ?? [])].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
    });
    expect(isSound(findings)).toBe(false);
  });

  it('says of a doctored story on the command line what is broken, and ends with 1', async () => {
    const sources = await tell({ outside: ({ ledger }) => ledger.pop() });
    const args = ['--require', join(__dirname, '..', 'support', 'register.cjs'), join(__dirname, 'checker', 'main.ts')];
    for (const { bank, from } of sources.banks) args.push('--bank', `${bank}=${from}`);
    args.push('--database', sources.databaseUrl, '--amlyze', sources.amlyze, '--history', sources.historyFile);
    const ended = promisify(execFile)(process.execPath, args, { env: { PATH: process.env['PATH'] } });
    await expect(ended).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^I3: n-2 is accepted here[^]*\nBROKEN; /),
    });
  });
});
