/**
 * The bare durable loop: claim 500, ask for them with 32 calls in flight, write, claim 500, one call to AMLYZE, settle; one
 * thing after the other on one session. It writes the same rows as the gateway into the same tables and does nothing else:
 * no check of an answer, no explanation, no metrics, one process, no other connection to be fair to.
 */
import { Client } from 'pg';
import { PLANNER_OPTIONS } from '../../src/database/planner-options';
import { communicationNumber } from '../../src/amlyze/communication-number';
import { BATCH_SIZE, Calls, inParallel, payloadOf, READS_IN_FLIGHT } from './calls';
import { CLAIM_RECORDS, CLAIM_SUBJECTS, FILL_RUN, FINISH_RUN, OPEN_RUN, SETTLE, WRITE } from './loop-sql';
import { serve, settings, type RowSample } from './serve';

const ENDPOINT = 'batch-account-balances';

const { bankUrl, amlyzeUrl, databaseUrl } = settings();
const calls = new Calls(bankUrl, amlyzeUrl);
const database = new Client({ connectionString: databaseUrl, options: PLANNER_OPTIONS.join(' ') });

interface Subject {
  subject_id: string;
  number: string;
  request_id: string;
  account_id: string;
  name: string;
}

interface Claimed {
  id: string;
  attempt_id: string;
  communication_number: string;
  payload: string;
}

interface Run {
  id: string;
  connectionId: string;
  installationId: string;
  sample: RowSample;
}

async function readSome(run: Run): Promise<number> {
  const { rows } = await database.query<Subject>({
    ...CLAIM_SUBJECTS,
    values: [run.connectionId, BATCH_SIZE],
  });
  if (rows.length === 0) return 0;
  const key = `run ${run.id}`;
  const read = await inParallel(rows, READS_IN_FLIGHT, async (subject) => {
    const answer = await calls.balance(subject.number, subject.request_id);
    const number = communicationNumber({
      prefix: 'obg-',
      installationId: run.installationId,
      kind: 'balance',
      date: answer.fetchedAt.slice(0, 10),
      key: `${subject.account_id}|STATEMENT_BALANCE|${key}`,
      revision: 1,
    });
    const { fetchedAt: balanceAt, value } = answer;
    const payload = payloadOf({ communicationNumber: number, accountExtId: subject.name, balanceAt, value });
    return { subject, answer, number, payload };
  });
  await database.query({
    ...WRITE,
    values: [
      run.id,
      key,
      run.sample.settingsHash,
      read.map(({ subject }) => subject.subject_id),
      read.map(({ subject }) => subject.account_id),
      read.map(({ subject }) => subject.name),
      read.map(({ subject }) => subject.request_id),
      read.map(({ answer }) => answer.fetchedAt),
      read.map(({ answer }) => answer.latencyMs),
      read.map(({ answer }) => answer.body),
      read.map(({ answer }) => answer.value),
      read.map(({ number }) => number),
      read.map(({ payload }) => payload),
      read.map(() => run.sample.steps),
      read.length,
    ],
  });
  return rows.length;
}

async function deliverSome(): Promise<number> {
  const { rows } = await database.query<Claimed>({ ...CLAIM_RECORDS, values: [BATCH_SIZE, ENDPOINT] });
  const [first] = rows;
  if (!first) return 0;
  const { answer, results } = await calls.batch(rows.map(({ payload }) => payload));
  const byNumber = new Map(results.map((result) => [result.communicationNumber, result]));
  await database.query({
    ...SETTLE,
    values: [
      first.attempt_id,
      rows.map(({ id }) => id),
      rows.map(({ communication_number }) => JSON.stringify(byNumber.get(communication_number))).join('\n'),
      answer.latencyMs,
      rows.length,
    ],
  });
  return rows.length;
}

void (async () => {
  await database.connect();
  serve(async ({ accounts, sample }) => {
    if (!sample) throw new Error('the loop needs a sample of the gateway’s rows');
    const opened = await database.query<{ id: string }>(OPEN_RUN, [accounts]);
    const run = opened.rows[0]?.id ?? '';
    await database.query(FILL_RUN, [run, accounts]);
    const { rows } = await database.query<{ id: string; installation: string }>(
      'select k.id, i.id as installation from connection k, installation i order by k.id limit 1',
    );
    const [row] = rows;
    const whole: Run = { id: run, connectionId: row?.id ?? '', installationId: row?.installation ?? '', sample };
    return async () => {
      let delivered = 0;
      while ((await readSome(whole)) > 0) delivered += await deliverSome();
      await database.query(FINISH_RUN, [run]);
      return delivered;
    };
  });
})();
