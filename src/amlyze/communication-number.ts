import { hash } from 'node:crypto';

/** AMLYZE's pages say 255 here and 256 there. */
const MAX_LENGTH = 255;
const DIGEST_CHARACTERS = 32; // hexadecimal, 128 bits

export interface NumberParts {
  prefix: string;
  /** Made once per database, so that two installations on one AMLYZE tenant never share numbers. */
  installationId: string;
  kind: 'balance' | 'operation';
  /** The business key's date, YYYY-MM-DD. */
  date: string;
  /** The business key: the same key means the same fact about the same account. */
  key: string;
  /** From 1; a restated fact gets the next. */
  revision: number;
}

/**
 * The number under which AMLYZE knows one communication. The same parts give the same number, so a record that is made
 * again after a crash is the same record, and AMLYZE refuses its second copy. The date stands before the digest so that
 * unique indexes grow at their right edge instead of at random places.
 */
export function communicationNumber({ prefix, installationId, kind, date, key, revision }: NumberParts): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new RangeError('the date of a communication number is YYYY-MM-DD');
  if (!Number.isSafeInteger(revision) || revision < 1) throw new RangeError('revisions count from 1');
  const digest = hash('sha256', JSON.stringify([installationId, kind, date, key, revision]), 'hex');
  const number = [
    `${prefix}${installationId}`,
    kind === 'balance' ? 'b' : 'o',
    date.replaceAll('-', ''),
    digest.slice(0, DIGEST_CHARACTERS),
  ].join('-');
  if (number.length > MAX_LENGTH) throw new RangeError(`a communication number has at most ${MAX_LENGTH} characters`);
  return number;
}
