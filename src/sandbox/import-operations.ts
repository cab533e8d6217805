import { setTimeout as wait } from 'node:timers/promises';
import type { OperationImportDetailsDto, OperationImportDto } from '../operations/operations.dto';
import type { RecordView } from '../records/record-views';
import { DEMO_BIC, demoCustomers, demoOperations, type DemoOperation, type ShownOperation } from '../simulators';
import { NoAnswer, type AdminApi } from './admin-api';
import type { Difference } from './compare';
import type { SeenRecord } from './first-sync';
import type { Simulators } from './processes';

/** What became of one operation of the import. */
export interface OperationResult {
  operation: DemoOperation;
  /** The gateway's words, where it refused the operation or left something out of it. */
  finding: { kind: string; fields: string[]; message: string } | undefined;
  record: SeenRecord | undefined;
}

export interface ImportedOperations {
  summary: OperationImportDto;
  results: OperationResult[];
  ledger: ShownOperation[];
}

const DEADLINE_MS = 90_000;
const POLL_MS = 100;

/** Imports the demo's card payments as an operator would, and waits for AMLYZE's verdict about each. */
export async function importOperations(api: AdminApi, { amlyze }: Simulators): Promise<ImportedOperations> {
  await amlyze.putAccounts(demoCustomers());
  await amlyze.settings({ institutionBic: DEMO_BIC });
  const operations = demoOperations();
  const lines = operations.map(({ body }) => `${JSON.stringify(body)}\n`);
  const summary = await api.call<OperationImportDto>('POST', '/admin/operations/import', lines.join(''));
  const { items } = await api.call<OperationImportDetailsDto>('GET', `/admin/operations/imports/${summary.importId}`);
  const findings = new Map(items.map((item) => [item.operationExtId, item]));
  const results = operations.map(async (operation): Promise<OperationResult> => {
    const found = findings.get(operation.operationExtId);
    const refused = found?.kind === 'refused' || found?.kind === 'conflict';
    return {
      operation,
      finding: found && {
        kind: found.kind,
        fields: found.findings.map(({ field }) => field),
        message: [...new Set(found.findings.map(({ message }) => message))].join('; '),
      },
      record: refused ? undefined : await settledRecord(api, operation.operationExtId),
    };
  });
  return { summary, results: await Promise.all(results), ledger: await amlyze.operationLedger() };
}

/** The operation's latest record once its state is final; undefined where there is none. */
async function settledRecord(api: AdminApi, operationExtId: string): Promise<RecordView | undefined> {
  const path = `/admin/records?operationExtId=${encodeURIComponent(operationExtId)}`;
  for (const end = Date.now() + DEADLINE_MS; ; await wait(POLL_MS)) {
    try {
      const record = (await api.list<RecordView>(path)).at(-1);
      if (record === undefined || (record.state !== 'pending' && record.state !== 'sending')) return record;
    } catch (error) {
      // A restart of the gateway is sat out.
      if (!(error instanceof NoAnswer)) throw error;
    }
    if (Date.now() > end) throw new Error(`operation ${operationExtId} has no verdict after ${DEADLINE_MS / 1000} s`);
  }
}

/** The demo's foresight against the gateway's words, and what was taken anew against AMLYZE's ledger. */
export function operationDifferences({ summary, results, ledger }: ImportedOperations): Difference[] {
  const differences = results.flatMap(({ operation, finding, record }) => {
    const { recordState = 'none', field, words } = operation.foreseen;
    const pairs: [what: string, foreseen: string, seen: string][] = [
      ['record', recordState, record?.state ?? 'none'],
      ['field', field ?? 'none', finding?.fields.find((each) => each === field) ?? finding?.fields.join() ?? 'none'],
      ["AMLYZE's words", words ?? 'none', record?.errorDescription ?? 'none'],
    ];
    return pairs
      .filter(([, foreseen, seen]) => foreseen !== seen)
      .map(([what, foreseen, seen]) => ({ about: operation.operationExtId, what, foreseen, seen }));
  });
  // A kept database has had the verdicts of another AMLYZE, whose ledger is gone.
  return summary.unchanged > 0 ? differences : [...differences, ...ledgerDifferences(results, ledger)];
}

function ledgerDifferences(results: readonly OperationResult[], ledger: readonly ShownOperation[]): Difference[] {
  const taken = Map.groupBy(ledger, ({ operationExtId }) => operationExtId);
  const known = new Set(results.map(({ operation }) => operation.operationExtId));
  const strangers = [...taken.keys()].filter((name) => !known.has(name));
  return [
    ...results.map(({ operation: { operationExtId, body }, record }) => {
      const amounts = (taken.get(operationExtId) ?? []).map(({ amount }) => amount);
      const foreseen = record?.state === 'accepted' ? String(body['amount']) : 'none';
      return { about: operationExtId, what: "AMLYZE's ledger", foreseen, seen: amounts.join(' and ') || 'none' };
    }),
    ...strangers.map((about) => ({ about, what: "AMLYZE's ledger", foreseen: 'none', seen: 'an operation' })),
  ].filter(({ foreseen, seen }) => foreseen !== seen);
}
