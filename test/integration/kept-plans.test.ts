import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeLiteral } from 'pg';
import { PLANNER_OPTIONS } from '../../src/database/planner-options';
import { claimDue, claimGroup } from '../../src/outbox/claim';
import { findKeyStates } from '../../src/outbox/enqueue';
import { cutInTwo, extendLeases } from '../../src/outbox/settle';
import { takeTurn } from '../../src/outbox/turn';
import { extendReadLeases, giveBackClaims, type ClaimedSubject } from '../../src/sync/claim-reads';
import { countSettledRuns } from '../../src/sync/count-runs';
import { demoAccounts, demoRegistrations } from '../../src/simulators';
import { Outside, registerMypos, TestGateway } from '../support/gateway';
import { OutboxRows } from '../support/outbox-rows';
import { REQUEST } from '../support/outbox-setting';
import { createTestDatabase, type TestDatabase } from '../support/postgres';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  Filter?: string;
  Plans?: PlanNode[];
}

interface Index {
  /** As `create index` has it: a column or an expression. */
  firstColumn: string;
  partial: boolean;
}

/** Tables with a row for every connection or endpoint, which nobody minds being read whole, and statements that ask only them. */
const OF_SMALL_TABLES = /^(bank-health|endpoint|provider-token|connection|sync-grant-calls)/;
/** Indexes of the runs that are open or being filled, of which there are a few at most. */
const READ_WHOLE = ['sync_run_open', 'sync_run_filling'];

/** Stands in for the rows of a statement that a trigger looks at. */
const FRESH = 'fresh_';

interface Statement {
  text: string;
  /** Of the latest call, in the driver's own words where they are lists. */
  values: readonly unknown[];
}

/** How many parentheses stand around an expression differs from place to place. */
const bare = (sql: string): string => sql.replaceAll(/[()]/g, '');

/** What an index is asked for, column by column. */
function conditionsOf(node: PlanNode): string[] {
  return bare(node['Index Cond'] ?? '').split(' AND ');
}

/** Names of the statements that a session prepares, and keeps a plan of, as the source has them. */
function namesInSource(): string[] {
  const root = join(__dirname, '../../src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/name: '([^']+)',\s+(?:\/\/.*\s+)*text: /g)])
    .map(([, name = '']) => name);
}

describe('a plan that is kept', () => {
  let testDatabase: TestDatabase;
  const statements = new Map<string, Statement>();

  beforeAll(async () => {
    const query = spyOnStatements();
    testDatabase = await createTestDatabase();
    const outside = await Outside.start();
    const gateway = await TestGateway.start(testDatabase, outside);
    const { consentId } = await registerMypos(gateway, outside);
    const accounts = demoAccounts('mypos', 20);
    const { bankAccounts, amlyzeAccounts, amlyzeFaults } = demoRegistrations(accounts);
    await outside.mypos.putAccounts(bankAccounts);
    await outside.amlyze.putAccounts(amlyzeAccounts);
    await outside.amlyze.addFault(...amlyzeFaults);
    for (const { providerAccountId, currency, accountExtId } of accounts) {
      await gateway.ok('POST', '/admin/accounts', { consentId, providerAccountId, currency, accountExtId });
    }
    await gateway.sync();
    await gateway.delivered();
    await gateway.close();
    await outside.close();
    await prepareTheRest();
    query.mockRestore();
  }, 60_000);

  afterAll(() => testDatabase.drop());

  /** What is prepared are objects with a name. The gateway lets go of their values after the call, so they are copied before. */
  function spyOnStatements(): { mockRestore(): void } {
    const original = Client.prototype.query as (this: Client, ...given: unknown[]) => unknown;
    const note = function (this: Client, ...given: unknown[]): unknown {
      const [sql] = given;
      if (typeof sql === 'object' && sql && 'name' in sql && 'text' in sql) {
        const values = 'values' in sql && Array.isArray(sql.values) ? [...sql.values] : [];
        statements.set(String(sql.name), { text: String(sql.text), values });
      }
      return original.apply(this, given);
    };
    // The driver's type lists an overload for each way to call it; this one passes on whatever it is given.
    return jest.spyOn(Client.prototype, 'query').mockImplementation(note);
  }

  /** What a day without trouble does not come to. */
  async function prepareTheRest(): Promise<void> {
    const { database } = testDatabase;
    await countSettledRuns(database);
    // Only these fields are asked for.
    const subject = { state: { subjectId: '1', epoch: '1' }, requestId: crypto.randomUUID() } as ClaimedSubject;
    await extendReadLeases(database, [subject], 30);
    await giveBackClaims(database, [subject]);
    const [group] = await cutInTwo(database, undefined, 'bad-request');
    const rows = await OutboxRows.open(database);
    await rows.enqueue(await rows.accounts(2));
    await database.query(`update record_state set batch_group = $1 where state = 'pending'`, [group]);
    const batch = await claimGroup(database, REQUEST);
    if (!batch) throw new Error('the group was not claimed');
    await extendLeases(database, [batch.attemptId], 30);
    await takeTurn(database, [], undefined);
    const [record] = await database.query<{ accountId: string; balanceType: string }>(
      `select account_id as "accountId", balance_type as "balanceType" from amlyze_record limit 1`,
    );
    if (!record) throw new Error('there is no record');
    await findKeyStates(database, [{ ...record, key: 'older', balanceAt: '2000-01-01T00:00:00.000Z' }], 'record');
    await claimDue(database, REQUEST);
  }

  /** Each place where a statement reads an index or a table without naming what stands first in it. */
  async function unkeyed(url: string, analyzed: boolean): Promise<string[]> {
    const session = new Client({ connectionString: url, options: PLANNER_OPTIONS.join(' ') });
    await session.connect();
    try {
      if (analyzed) await session.query('vacuum analyze');
      const indexes = await readIndexes(session);
      const found: string[] = [];
      const texts = [...statements].map(([name, { text }]) => [name, text] as const);
      for (const [name, text] of [...texts, ...(await readReferenceChecks(session))]) {
        if (OF_SMALL_TABLES.test(name)) continue;
        const { rows } = await session.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
          `explain (generic_plan, format json) ${text}`,
        );
        const look = (node: PlanNode, limited: boolean): void => {
          const isTable = node['Relation Name'] !== undefined && !node['Relation Name'].startsWith(FRESH);
          if (isTable && node['Node Type'] !== 'ModifyTable') {
            const index = indexes.get(node['Index Name'] ?? '');
            const keyed =
              index && conditionsOf(node).some((condition) => condition.startsWith(`${index.firstColumn} `));
            // An index of what waits is walked in its order, to a limit; of any other index the limit is all that is read where nothing is left out.
            const walked =
              limited && index
                ? index.partial || (node.Filter ?? node['Index Cond']) === undefined
                : READ_WHOLE.includes(node['Index Name'] ?? '');
            if (!keyed && !walked)
              found.push(`${name}: ${node['Node Type']} ${node['Index Name'] ?? node['Relation Name']}`);
          }
          for (const child of node.Plans ?? []) look(child, node['Node Type'] === 'Limit');
        };
        for (const row of rows) look(row['QUERY PLAN'][0].Plan, false);
      }
      return found;
    } finally {
      await session.end();
    }
  }

  /** What the triggers ask that stand for foreign keys: a session keeps their plans too. */
  async function readReferenceChecks(session: Client): Promise<[string, string][]> {
    const { rows } = await session.query<{ name: string; child: string; source: string }>(
      `select proname as name, tgrelid::regclass::text as child, prosrc as source
from pg_trigger join pg_proc on pg_proc.oid = tgfoid where tgnewtable = 'fresh' order by 1`,
    );
    const checks: [string, string][] = [];
    for (const { name, child, source } of rows) {
      await session.query(`create temp table ${FRESH}${child} (like ${child})`);
      for (const [text] of source.matchAll(/select [^;]* from fresh f[^;]*/g))
        checks.push([name, text.replace('into stray', '').replace('from fresh', `from ${FRESH}${child}`)]);
    }
    expect(checks.length).toBeGreaterThanOrEqual(rows.length);
    expect(checks.length).toBeGreaterThan(10);
    return checks;
  }

  async function readIndexes(session: Client): Promise<Map<string, Index>> {
    const { rows } = await session.query<Index & { name: string }>(
      `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid, 1, true) as "firstColumn", indpred is not null as partial
from pg_index join pg_class on pg_class.oid = indexrelid where relnamespace = 'public'::regnamespace`,
    );
    return new Map(rows.map((row) => [row.name, { ...row, firstColumn: bare(row.firstColumn) }]));
  }

  it('is known here for every statement that has a name', () => {
    const names = namesInSource();
    expect(names.length).toBeGreaterThan(30);
    expect(names.filter((name) => !OF_SMALL_TABLES.test(name) && !statements.has(name))).toEqual([]);
  });

  it.each([
    ['tables that nobody has analyzed', false],
    ['tables that were analyzed while they were empty, by a nightly job before the first account', true],
  ])('looks up what it is asked for, made on %s', async (_, analyzed) => {
    const empty = await createTestDatabase();
    try {
      expect(await unkeyed(empty.url, analyzed)).toEqual([]);
    } finally {
      await empty.drop();
    }
  });

  it('looks up what it is asked for, made on the tables of a trial with twenty accounts', async () => {
    expect(await unkeyed(testDatabase.url, true)).toEqual([]);
  });

  /** Postgres makes a plan for each of the first five calls, then one for all of them, and keeps that where it believes it no dearer. */
  it('is the one that runs: none is made anew at each call because a list is short', async () => {
    const session = new Client({ connectionString: testDatabase.url, options: PLANNER_OPTIONS.join(' ') });
    await session.connect();
    try {
      await session.query('vacuum analyze');
      for (const [name, { text, values }] of statements) {
        await session.query(`prepare "${name}" as ${text}`);
        const given = values.length === 0 ? '' : `(${values.map(literal).join(', ')})`;
        for (let call = 0; call < 6; call += 1) await session.query(`explain execute "${name}"${given}`);
      }
      const { rows } = await session.query<{ name: string; kept: boolean }>(
        'select name, generic_plans > 0 as kept from pg_prepared_statements',
      );
      expect(rows.map(({ name }) => name).sort()).toEqual([...statements.keys()].sort());
      expect(rows.filter(({ kept }) => !kept).map(({ name }) => name)).toEqual([]);
    } finally {
      await session.end();
    }
  });

  function literal(value: unknown): string {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return escapeLiteral(value);
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `'${value}'`;
    if (value instanceof Date) return `'${value.toISOString()}'`;
    throw new Error('a statement was given what this test cannot write');
  }
});
