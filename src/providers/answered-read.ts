import { blankSecrets } from '../shared/blank-secrets';
import type { Answer } from '../shared/http-client';
import type { JsonValue } from '../shared/json';
import { secretsOf } from './failed-read';
import type { FailureContext } from './failed-read';
import type { AnsweredRead } from './provider';

/** What a bank reports is evidence, so nothing in it is blanked out that could be a number or a code of the bank's. */
const MIN_LENGTH_IN_EVIDENCE = 16;

/** A success. `json` is mapped as it came; from the body, which is kept, our secrets are taken where the bank echoes the request. */
export function answeredRead(answer: Answer, json: JsonValue, context: FailureContext): AnsweredRead {
  const { status: httpStatus, latencyMs, body } = answer;
  const kept = context.keepsBody ? blankSecrets(body, secretsOf(context).filter(isUnmistakable)) : body;
  return { kind: 'answered', httpStatus, latencyMs, body: kept, json };
}

function isUnmistakable(secret: string | undefined): boolean {
  return secret !== undefined && secret.length >= MIN_LENGTH_IN_EVIDENCE;
}
