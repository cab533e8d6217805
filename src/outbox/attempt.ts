/**
 * What one attempt came to for one record, in the log. `refused` and `not-sent` leave no doubt of their own: AMLYZE refused the
 * whole call, whatever this record was; no byte of it left.
 */
export const VERDICTS = ['accepted', 'rejected', 'held', 'in-doubt', 'refused', 'not-sent'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * `answered`: its answer settled records. `refused` as a whole. `failed`: no answer, or none that can be relied on. `given-back`: not
 * waited for any more, or never made. `lost`: the lease ran out.
 */
export const ATTEMPT_OUTCOMES = ['answered', 'refused', 'failed', 'given-back', 'lost'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** How the call itself ended, written once to its attempt row. */
export interface AttemptEnd {
  outcome: AttemptOutcome;
  httpStatus?: number | undefined;
  detail?: string | undefined;
  latencyMs?: number | undefined;
}
