import type { Client } from 'pg';

/** Rows of one table, and how large they are as they are stored. */
export interface TableContent {
  rows: number;
  bytesPerRow: number;
}

export type Contents = Readonly<Record<string, TableContent>>;

/** What reading and delivering one balance leaves behind. */
const TABLES = [
  'access_ledger',
  'balance_reading',
  'amlyze_record',
  'record_state',
  'record_key',
  'record_series',
  'waiting_account',
  'access_subject',
  'delivery_result',
] as const;

/** A reference whose rows are smaller than this share of the gateway's has less to write. */
const SAME_SIZE = 0.95;

export async function contentsOf(client: Client): Promise<Contents> {
  const contents: Record<string, TableContent> = {};
  for (const table of TABLES) {
    const { rows } = await client.query<{ rows: number; bytes: number }>(
      `select count(*)::int as rows, coalesce(avg(pg_column_size(t.*)), 0)::float8 as bytes from ${table} t`,
    );
    contents[table] = { rows: rows[0]?.rows ?? 0, bytesPerRow: rows[0]?.bytes ?? 0 };
  }
  return contents;
}

/** Why the reference did not do the gateway's job, table by table; empty where it did. */
export function differences(gateway: Contents, reference: Contents): string[] {
  return Object.entries(gateway).flatMap(([table, ours]) => {
    const theirs = reference[table] ?? { rows: 0, bytesPerRow: 0 };
    if (theirs.rows !== ours.rows) return [`${table} has ${theirs.rows} rows, the gateway's ${ours.rows}`];
    if (theirs.bytesPerRow >= ours.bytesPerRow * SAME_SIZE) return [];
    return [
      `rows of ${table} have ${Math.round(theirs.bytesPerRow)} bytes, the gateway's ${Math.round(ours.bytesPerRow)}`,
    ];
  });
}

/** A record that AMLYZE's ledger holds. */
interface Listed {
  communicationNumber: string;
}

/** Why the ledger is not exactly these numbers, each once; undefined where it is. */
export function ledgerProblem(ledger: readonly Listed[], numbers: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const { communicationNumber } of ledger) {
    if (seen.has(communicationNumber)) return `AMLYZE has ${communicationNumber} twice`;
    seen.add(communicationNumber);
  }
  const missing = numbers.find((number) => !seen.has(number));
  if (missing !== undefined) return `AMLYZE does not have ${missing}`;
  return seen.size === numbers.length ? undefined : `AMLYZE has ${seen.size} records instead of ${numbers.length}`;
}
