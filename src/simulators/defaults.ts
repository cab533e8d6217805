/** What the simulators accept when nobody tells them otherwise. None of it is a secret of anything. */
export const SANDBOX_MYPOS = {
  apiKey: 'sandbox-api-key',
  accessToken: 'sandbox-access-token',
  consentId: '5ab0d0c0-0000-4000-8000-000000000001',
} as const;

export const SANDBOX_ONESINGLEVIEW = {
  clientId: 'sandbox-client-id',
  clientCode: 'sandbox-client-code',
  signatureKey: 'sandbox-signature-key',
  merchantId: 'SANDBOX-300505',
  bankCode: 'SVMB01',
  consentId: 'urn:SVMB01:kac-5ab0d0c0-0000-4000-8000-000000000002',
} as const;

export const SANDBOX_AMLYZE = {
  token: 'sandbox-amlyze-token',
} as const;
