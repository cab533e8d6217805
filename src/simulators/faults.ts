/**
 * The fault vocabulary of the simulators: everything that they can be told to do wrong, in one table. The types of the
 * control interface, the check of what is posted to it and `GET /_sim/faults` are all read from this table.
 *
 * `wire` faults concern any answer of any simulator. `bank` faults need a bank API, `results` faults need AMLYZE's
 * list of results. A field whose type ends in `?` may be left out.
 */
type FieldType = 'number' | 'string' | 'boolean' | 'headers';
type FieldSpec = FieldType | `${FieldType}?`;
export type FaultStage = 'wire' | 'bank' | 'results';

interface FaultSpec {
  readonly stage: FaultStage;
  /** What the simulator does, with the defaults of its fields. */
  readonly says: string;
  readonly fields: Readonly<Record<string, FieldSpec>>;
}

export const FAULTS = {
  // wire
  latency: {
    stage: 'wire',
    says: 'Waits `ms`, and `perItemMs` (0) for each item of a batch, once where there is no list, before it answers. The request is worked on at once; with `before` only after the wait, even where the caller is gone by then.',
    fields: { ms: 'number', perItemMs: 'number?', before: 'boolean?' },
  },
  status: {
    stage: 'wire',
    says: 'Answers `status` with `body` (as it stands; default: an error of that simulator) and `headers`. The request is not worked on, unless `afterCommit`.',
    fields: { status: 'number', body: 'string?', headers: 'headers?', afterCommit: 'boolean?' },
  },
  html: {
    stage: 'wire',
    says: 'Answers a login page as text/html, status 200 unless `status`. The request is not worked on, unless `afterCommit`.',
    fields: { status: 'number?', afterCommit: 'boolean?' },
  },
  'html-as-json': {
    stage: 'wire',
    says: 'The same page, labelled application/json.',
    fields: { status: 'number?', afterCommit: 'boolean?' },
  },
  'drop-before-read': {
    stage: 'wire',
    says: 'Closes the connection without an answer and without working on the request; before the body is read where the rule can be decided without it.',
    fields: {},
  },
  'drop-after-commit': {
    stage: 'wire',
    says: 'Works on the request, then closes the connection without an answer.',
    fields: {},
  },
  'retry-after': {
    stage: 'wire',
    says: 'Answers `status` (429) with the header Retry-After: `value` as it stands, or `dateInSeconds` from now as an HTTP date; neither: no such header. Not worked on.',
    fields: { value: 'string?', dateInSeconds: 'number?', status: 'number?' },
  },
  drip: {
    stage: 'wire',
    says: 'Works on the request and sends the headers at once, then the body `bytes` (1) by `bytes` every `intervalMs` (300).',
    fields: { intervalMs: 'number?', bytes: 'number?' },
  },
  truncate: {
    stage: 'wire',
    says: 'Works on the request, announces the whole length, sends `bytes` (half of the body) and closes the connection.',
    fields: { bytes: 'number?' },
  },
  huge: {
    stage: 'wire',
    says: 'Works on the request and answers a JSON body of `bytes` (1 GiB), made while it is read; chunked, or with its length announced where `announced`.',
    fields: { bytes: 'number?', announced: 'boolean?' },
  },
  'gzip-bomb': {
    stage: 'wire',
    says: 'Works on the request and answers a small gzip body that unpacks to `bytes` (1 GiB) of the letter a.',
    fields: { bytes: 'number?' },
  },

  // banks
  'token-expiry': {
    stage: 'bank',
    says: 'The access token of this request runs out at once and for good: this answer and every later one with it is the one for an expired token.',
    fields: {},
  },

  // AMLYZE's results
  'commit-part': {
    stage: 'results',
    says: 'Accepts what is acceptable among the first `count` items, never looks at the rest, then answers 500, or closes the connection where `drop`.',
    fields: { count: 'number', drop: 'boolean?' },
  },
  'shuffle-results': {
    stage: 'results',
    says: 'The results come in another order than the items, drawn from `seed` (1).',
    fields: { seed: 'number?' },
  },
  'omit-results': {
    stage: 'results',
    says: 'Leaves out the results of `count` (1) of the matched items; they are worked on all the same.',
    fields: { count: 'number?' },
  },
  'double-results': {
    stage: 'results',
    says: 'Lists the results of `count` (1) of the matched items twice, with the same verdict.',
    fields: { count: 'number?' },
  },
  'conflicting-results': {
    stage: 'results',
    says: 'Adds, for `count` (1) of the matched items, a second result with the opposite verdict.',
    fields: { count: 'number?' },
  },
  'stranger-result': {
    stage: 'results',
    says: 'Adds an accepted result for `communicationNumber` (stranger-1), of operations for such an operationExtId, that was not asked for.',
    fields: { communicationNumber: 'string?' },
  },
  'null-result': { stage: 'results', says: 'Adds a null to the list of results.', fields: {} },
  'mislabelled-results': {
    stage: 'results',
    says: 'The results of `count` (1) of the matched items name `accountExtId` (someone-else), or none at all where it is the empty text; of operations their operationExtId.',
    fields: { count: 'number?', accountExtId: 'string?' },
  },
  'reject-batch-containing': {
    stage: 'results',
    says: 'A batch with a matched item is answered 400 as a whole and nothing is accepted; the single endpoint rejects the item with `errorCode` (001) and `errorDescription`.',
    fields: { errorCode: 'string?', errorDescription: 'string?' },
  },
  'reject-items': {
    stage: 'results',
    says: 'Rejects the matched items with `errorCode` and `errorDescription`, as they stand.',
    fields: { errorCode: 'string', errorDescription: 'string' },
  },
  'failed-processing': {
    stage: 'results',
    says: 'The matched items are answered with code 500 and "failed processing account balance" (operations: "Processing failed"); accepted all the same where `afterCommit`.',
    fields: { afterCommit: 'boolean?' },
  },
  'already-used': {
    stage: 'results',
    says: 'The first `each` (1) numbers of every matched account or operation count as used by somebody else from then on: rejected as such, and in no ledger.',
    fields: { each: 'number?' },
  },
  'tenant-error': {
    stage: 'results',
    says: "Every item is rejected with AMLYZE's words for an unknown business unit of a tenant.",
    fields: {},
  },
  'too-large': {
    stage: 'results',
    says: 'A batch of more than `maxItems` is answered 413 and nothing is accepted.',
    fields: { maxItems: 'number' },
  },
} as const satisfies Record<string, FaultSpec>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS).filter((kind): kind is FaultKind => kind in FAULTS);

interface Values {
  number: number;
  string: string;
  boolean: boolean;
  headers: Record<string, string>;
}
type ValueOf<S> = S extends `${infer T extends FieldType}?` ? Values[T] : S extends FieldType ? Values[S] : never;
type FieldsOf<F> = {
  [K in keyof F as F[K] extends `${string}?` ? never : K]: ValueOf<F[K]>;
} & { [K in keyof F as F[K] extends `${string}?` ? K : never]?: ValueOf<F[K]> };

/** What one rule does, e.g. `{kind: 'latency', ms: 200}`. */
export type FaultAction = { [K in FaultKind]: { kind: K } & FieldsOf<(typeof FAULTS)[K]['fields']> }[FaultKind];
export type ActionOf<K extends FaultKind> = Extract<FaultAction, { kind: K }>;

/** Which requests a rule concerns; every condition given must hold. */
export interface FaultMatch {
  /** text contained in the request's path */
  path?: string;
  /** the account asked for (bank) or an accountExtId among the items (AMLYZE); several: any of them */
  account?: string | readonly string[];
  /** a communicationNumber among the items; several: any of them (AMLYZE) */
  communicationNumber?: string | readonly string[];
  /** an operationExtId among the items; several: any of them (AMLYZE) */
  operation?: string | readonly string[];
  /** lets the first n requests that match pass unharmed */
  after?: number;
  /** fires for at most n requests; without it until it is removed */
  times?: number;
  /** fires with this probability, drawn from `seed` (1) so that a run can be repeated */
  probability?: number;
  seed?: number;
}

export interface FaultRule {
  match?: FaultMatch;
  do: FaultAction;
}

function fits(value: unknown, spec: FieldSpec): boolean {
  if (value === undefined) return spec.endsWith('?');
  const type = spec.replace('?', '');
  if (type !== 'headers') return typeof value === type;
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean =>
  typeof value === 'string' || (Array.isArray(value) && value.every((text) => typeof text === 'string'));
const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;

const MATCH_CHECKS: Record<keyof FaultMatch, (value: unknown) => boolean> = {
  path: (value) => typeof value === 'string',
  account: isTexts,
  communicationNumber: isTexts,
  operation: isTexts,
  after: isCount,
  times: isCount,
  probability: (value) => typeof value === 'number' && value >= 0 && value <= 1,
  seed: (value) => typeof value === 'number',
};

/** Why a posted rule is none, or undefined where it is one. */
export function faultRuleProblem(rule: unknown): string | undefined {
  if (!isRecord(rule) || !isRecord(rule['do'])) return 'a rule is {match?: {…}, do: {kind, …}}';
  const action = rule['do'];
  const kind = FAULT_KINDS.find((known) => known === action['kind']);
  if (kind === undefined) return `unknown kind ${String(action['kind'])}; known: ${FAULT_KINDS.join(', ')}`;
  const fields: Readonly<Record<string, FieldSpec>> = FAULTS[kind].fields;
  const strange = Object.keys(action).find((name) => name !== 'kind' && !(name in fields));
  if (strange !== undefined) return `${kind} has no field ${strange}`;
  const wrong = Object.entries(fields).find(([name, spec]) => !fits(action[name], spec));
  if (wrong !== undefined) return `${kind}.${wrong[0]} must be of type ${wrong[1]}`;
  const match = rule['match'] ?? {};
  if (!isRecord(match)) return 'match must be an object';
  for (const [name, value] of Object.entries(match)) {
    const check = Object.entries(MATCH_CHECKS).find(([known]) => known === name)?.[1];
    if (check === undefined) return `match has no field ${name}`;
    if (!check(value)) return `match.${name} has the wrong type`;
  }
  return undefined;
}

export function isFaultRule(rule: unknown): rule is FaultRule {
  return faultRuleProblem(rule) === undefined;
}
