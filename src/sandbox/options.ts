import { parseArgs } from 'node:util';

export interface Options {
  /** Accounts at each of the two banks. */
  accounts: number;
  /** Ends after the first sync. */
  once: boolean;
  /** Goes on with the database of the sandbox before. */
  keep: boolean;
}

const MAX_ACCOUNTS = 100_000;

export const USAGE = `npm run sandbox [-- --accounts N] [--once] [--keep]

  --accounts N   accounts at each bank, 1 to ${MAX_ACCOUNTS.toLocaleString('en')}; 200 unless given
  --once         ends after the first sync, with 0 only if everything came out as foreseen
  --keep         keeps the database of the sandbox before; otherwise DATA_DIR/sandbox is emptied
`;

export class UsageProblem extends Error {}

/** @throws UsageProblem */
export function readOptions(args: readonly string[]): Options | 'help' {
  const values = parse(args);
  if (values.help === true) return 'help';
  const { accounts = '200', once = false, keep = false } = values;
  const number = /^\d{1,6}$/.test(accounts) ? Number(accounts) : 0;
  if (number < 1 || number > MAX_ACCOUNTS) {
    throw new UsageProblem(`--accounts must be a whole number from 1 to ${MAX_ACCOUNTS}`);
  }
  return { accounts: number, once, keep };
}

function parse(args: readonly string[]): { accounts?: string; once?: boolean; keep?: boolean; help?: boolean } {
  try {
    return parseArgs({
      args: [...args],
      options: {
        accounts: { type: 'string' },
        once: { type: 'boolean' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new UsageProblem(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
