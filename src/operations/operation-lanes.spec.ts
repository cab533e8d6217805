import { randomBytes } from 'node:crypto';
import { answer, operation, REJECTED } from '../../test/fixtures/amlyze/answers';
import { AmlyzeClient } from '../amlyze/amlyze.client';
import type { CallVerdict } from '../amlyze/record-verdict';
import { loadEnvironment } from '../config/load-environment';
import { HttpClient } from '../shared/http-client';
import { CardVault } from './card-vault';
import { OperationBatchLane, OperationSingleLane } from './operation-lanes';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const key = (): string => `k1:${randomBytes(32).toString('base64')}`;
const environment = loadEnvironment({
  // Given, because those that are missing are made and kept in DATA_DIR.
  ENCRYPTION_KEYS: key(),
  CARD_DATA_KEYS: key(),
  ADMIN_API_KEY: 'k'.repeat(32),
  AMLYZE_BASE_URL: 'https://amlyze.example',
  AMLYZE_TOKEN: 'token-of-the-test',
});
const parts = [
  new AmlyzeClient(new HttpClient({ allowPrivateAddresses: false }), environment),
  new CardVault(environment),
  environment,
] as const;
const single = new OperationSingleLane(...parts);
const batch = new OperationBatchLane(...parts);

describe('what the lanes of operations keep of an answer', () => {
  const tenant = {
    resultType: REJECTED,
    errorCode: '',
    errorDescription: "Tenant header 'X' is mandatory. Card 4111111111111111.",
  };
  const listed = answer(200, { results: [{ ...tenant, operationExtId: 'op-1' }] });

  it.each<[string, CallVerdict]>([
    ['the single endpoint', single.judgeSingle(answer(400, tenant), operation(1), NOW)],
    ['a batch', batch.judgeBatch(listed, [operation(1)], NOW)],
    ['a batch of one', batch.judgeSingle(listed, operation(1), NOW)],
  ])('has no card number, also where %s rejects for a setting of ours', (_where, verdict) => {
    expect(verdict).toMatchObject({ kind: 'configuration', rejections: [{ id: '1', verdict: 'rejected' }] });
    expect(JSON.stringify(verdict)).toContain('411111******1111');
    expect(JSON.stringify(verdict)).not.toContain('4111111111111111');
  });
});
