import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryLine } from '../rig/history';
import type { Accepted, BankRequest } from './evidence';
import type { Sources } from './load';

/** A run of two accounts in which all is as it should be, to be doctored by the checker's own tests. */
export interface Story {
  ledger: Accepted[];
  bankRequests: Omit<BankRequest, 'bank'>[];
  history: HistoryLine[];
}

const STARTED = '2026-03-05T06:00:00.000Z';
const READ = '2026-03-05T06:00:00.400Z';
const SENT = '2026-03-05T06:00:00.500Z';
const SETTLED = '2026-03-05T06:00:00.700Z';

interface Part {
  id: number;
  account: string;
  accountExtId: string;
  number: string;
  value: string;
  requestId: string;
}

const PARTS: readonly Part[] = [
  {
    id: 1,
    account: '5001',
    accountExtId: 'A-1',
    number: 'n-1',
    value: '10.50',
    requestId: '00000000-0000-4000-8000-000000000001',
  },
  {
    id: 2,
    account: '5002',
    accountExtId: 'A-2',
    number: 'n-2',
    value: '-7.000',
    requestId: '00000000-0000-4000-8000-000000000002',
  },
];

function payload({ number, accountExtId, value }: Part): string {
  return `{"communicationNumber":"${number}","accountExtId":"${accountExtId}","value":${value}}`;
}

export function hashOf(part: number): string {
  const found = PARTS[part - 1];
  return createHash('sha256')
    .update(found ? payload(found) : '')
    .digest('hex');
}

/** The gateway's tables of the story, for an empty migrated database. */
export function storySql(): string {
  const each = (row: (part: Part) => string): string => PARTS.map(row).join(', ');
  return `
insert into connection (id, name, provider, base_url) values (1, 'bank', 'mypos', 'http://127.0.0.1:1');
insert into consent (id, connection_id, consent_id) values (1, 1, 'c-1');
insert into access_subject (id, consent_id, provider_account_id) values ${each((p) => `(${p.id}, 1, '${p.account}')`)};
insert into account (id, connection_id, consent_id, subject_id, provider_account_id, currency, account_ext_id)
values ${each((p) => `(${p.id}, 1, 1, ${p.id}, '${p.account}', 'EUR', '${p.accountExtId}')`)};
insert into sync_run (id, trigger, scope, accounts, started_at, finished_at) values (1, 'resync', '{"all":true}', 2, '${STARTED}', '${SETTLED}');
insert into access_ledger (subject_id, consent_id, purpose, request_id, read_at)
values ${each((p) => `(${p.id}, 1, 'resync', '${p.requestId}', '${STARTED}')`)};
insert into balance_reading (id, account_id, run_id, outcome, fetched_at, request_id, balance_at, balance_at_source, communication_number)
values ${each((p) => `(${p.id}, ${p.id}, 1, 'READ', '${READ}', '${p.requestId}', '${READ}', 'fetch', '${p.number}')`)};
insert into amlyze_record (id, communication_number, kind, account_id, account_ext_id, reading_id, run_id, balance_type, balance_at, value,
  payload, created_at)
values ${each(
    (
      p,
    ) => `(${p.id}, '${p.number}', 'balance', ${p.id}, '${p.accountExtId}', ${p.id}, 1, 'STATEMENT_BALANCE', '${READ}', ${p.value},
  '${payload(p)}', '${READ}')`,
  )};
insert into record_state (record_id, channel, account_id, balance_type, balance_at, run_id, state, claims, next_attempt_at, created_at, settled_at)
select id, channel, account_id, balance_type, balance_at, run_id, 'accepted', 1, null, created_at, '${SETTLED}' from amlyze_record;
insert into delivery_attempt (id, endpoint, records, replica, started_at, finished_at, outcome, http_status)
values (1, 'balances', 2, 'r-1', '${SENT}', '${SETTLED}', 'answered', 200);
insert into delivery_result (record_id, attempt_id, verdict) values ${each((p) => `(${p.id}, 1, 'accepted')`)};`;
}

/** What stands outside the database; a fresh copy each time. */
export function story(): Story {
  const limits = { replicas: 1, amlyzeConcurrency: 1, amlyzeMaxAttempts: 12, rssBytes: 1_000 };
  const items = PARTS.map(({ id, number }) => ({ number, hash: hashOf(id) }));
  return {
    ledger: PARTS.map(({ number, accountExtId, value }) => ({
      communicationNumber: number,
      kind: 'balance',
      accountExtId,
      balanceType: 'STATEMENT_BALANCE',
      balanceAt: READ,
      value,
      at: SENT,
    })),
    bankRequests: PARTS.map(({ account, requestId }) => ({
      at: READ,
      path: `/v1/accounts/${account}/balances`,
      status: 200,
      account,
      requestId,
    })),
    history: [
      { at: STARTED, kind: 'limits', limits },
      ...PARTS.map(({ account, accountExtId, value }): HistoryLine => ({
        at: STARTED,
        kind: 'script',
        bank: 'mypos',
        account,
        accountExtId,
        value,
      })),
      { at: SENT, kind: 'call', call: 1, to: 'amlyze', method: 'POST', path: '/batch', items },
      { at: SENT, kind: 'return', call: 1, status: 200, how: 'answered' },
      { at: SENT, kind: 'memory', replica: 1, rssBytes: 900 },
      { at: SENT, kind: 'healed', withinMs: 1_000 },
      { at: SETTLED, kind: 'bound', connectionId: '1', p95Ms: 1_000, from: STARTED, to: SETTLED },
    ],
  };
}

/** Writes the story's files, as the checker reads them. */
export function write({ ledger, bankRequests, history }: Story, folder: string, databaseUrl: string): Sources {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    databaseUrl,
    amlyze: file('ledger.json', JSON.stringify(ledger)),
    banks: [{ bank: 'mypos', from: file('bank.json', JSON.stringify(bankRequests)) }],
    historyFile: file('history.jsonl', history.map((line) => `${JSON.stringify(line)}\n`).join('')),
  };
}
