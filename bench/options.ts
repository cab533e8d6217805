import { parseArgs } from 'node:util';

export interface Options {
  /** Small and short: what every change has to pass. */
  quick: boolean;
  /** Names of the measures to take; empty for all. */
  only: readonly string[];
  /** Where the figures go as JSON. */
  json: string;
  /** Rounds of each figure, where it is not the measure's own. */
  rounds: number | undefined;
  /** Accounts of throughput and history, where it is not the measure's own. */
  accounts: number | undefined;
  /** Settled records of history and lists. */
  records: number | undefined;
}

export const USAGE = `npm run bench -- [--quick] [--only NAME,NAME] [--rounds N] [--accounts N] [--records N] [--json FILE]`;

/** Reads the command line; throws with words for people where it makes no sense. */
export function readOptions(args: readonly string[], measures: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      json: { type: 'string', default: '.data/bench/latest.json' },
      rounds: { type: 'string' },
      accounts: { type: 'string' },
      records: { type: 'string' },
    },
  });
  const only = values.only.split(',').filter(Boolean);
  const unknown = only.find((name) => !measures.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is ${measures.join(', ')}`);
  return {
    quick: values.quick,
    only,
    json: values.json,
    rounds: count('rounds', values.rounds, 1),
    accounts: count('accounts', values.accounts, 500),
    records: count('records', values.records, 500),
  };
}

function count(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,7}$/.test(text) || Number(text) < least) throw new Error(`--${name} is a whole number from ${least} on`);
  return Number(text);
}
