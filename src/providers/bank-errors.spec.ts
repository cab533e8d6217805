import { fixture } from '../../test/support/fixture';
import { judgeRefusal } from './bank-errors';
import type { BankVerdict } from './bank-errors';
import { readRefusal } from './bank-refusal';
import { MYPOS_ERRORS } from './mypos/mypos.errors';
import { ONESINGLEVIEW_ERRORS, ONESINGLEVIEW_TOKEN_ERRORS } from './onesingleview/onesingleview.errors';

type Case = [what: string, status: number, body: string, expected: string];

const FIREWALL = '<html><body>Request blocked. Your session token is invalid. API-Key consent expired.</body></html>';

function tpp(code: string, text = ''): string {
  return JSON.stringify({ tppMessages: [{ category: 'ERROR', code, text }] });
}

function summary({ outcome, retry, stops }: BankVerdict): string {
  return `${outcome} ${retry} ${stops}`;
}

const TOKEN = 'TOKEN_REJECTED renew-token consent';
const CONSENT = 'CONSENT_REQUIRED next-slot consent';
const IDENTITY = 'CERTIFICATE_PROBLEM next-slot connection';
const UNKNOWN = 'ACCOUNT_UNKNOWN next-slot nothing';
const EXCEEDED = 'RATE_LIMITED next-slot access-scope';
const LIMITED = 'RATE_LIMITED next-slot connection';
const UNAVAILABLE = 'BANK_UNAVAILABLE in-run nothing';
const ERROR = 'BANK_ERROR next-slot nothing';

const COMMON: Case[] = [
  ['an expired token', 401, fixture('mypos/error-token-expired.json'), TOKEN],
  ['an unknown token', 401, tpp('TOKEN_UNKNOWN'), TOKEN],
  ['a 403 that names the token', 403, tpp('TOKEN_INVALID'), TOKEN],
  ['an OAuth error', 401, '{"error":"invalid_token","error_description":"The access token expired"}', TOKEN],
  ['a 401 in words', 401, 'Access token is not valid', TOKEN],
  ['a 401 without a body', 401, '', TOKEN],
  ['a 401 that says nothing', 401, '{"message":"Unauthorized"}', TOKEN],
  ['an expired consent beside a warning about the token', 401, fixture('mypos/error-consent-expired.json'), CONSENT],
  ['an unknown consent under 403', 403, tpp('CONSENT_UNKNOWN'), CONSENT],
  ['an unknown consent under 400', 400, tpp('CONSENT_UNKNOWN'), CONSENT],
  ['a revoked consent in words', 403, '{"message":"The consent was revoked by the customer"}', CONSENT],
  ['an expired certificate', 401, tpp('CERTIFICATE_EXPIRED'), IDENTITY],
  ['an invalid signature', 401, tpp('SIGNATURE_INVALID'), IDENTITY],
  ['a role that the certificate lacks', 401, tpp('ROLE_INVALID'), IDENTITY],
  ["nginx's page for a missing certificate", 400, fixture('mypos/error-certificate.html'), IDENTITY],
  ['an unknown resource', 404, tpp('RESOURCE_UNKNOWN'), UNKNOWN],
  ['an unknown resource under 400', 400, tpp('RESOURCE_UNKNOWN'), UNKNOWN],
  ['a bare 404', 404, '', UNKNOWN],
  ['an unknown account in words', 400, '{"message":"Account 1 not found"}', UNKNOWN],
  ['the used-up frequency', 429, fixture('mypos/error-access-exceeded.json'), EXCEEDED],
  ['the used-up frequency under 403', 403, tpp('ACCESS_EXCEEDED'), EXCEEDED],
  ['any other 429', 429, 'Too many requests', LIMITED],
  ['a 500', 500, '{"message":"oops"}', UNAVAILABLE],
  ['a 503 page', 503, FIREWALL, UNAVAILABLE],
  ['a 408', 408, '', UNAVAILABLE],
  ['a bare 403', 403, '', ERROR],
  ["a firewall's page, whatever its words", 403, FIREWALL, ERROR],
  ['a format error', 400, tpp('FORMAT_ERROR'), ERROR],
  ['a 401 about the PSU', 401, tpp('PSU_CREDENTIALS_INVALID'), ERROR],
  ['a blocked service', 403, tpp('SERVICE_BLOCKED'), ERROR],
  ['a redirect', 302, '', ERROR],
];

describe.each([
  ['myPOS', MYPOS_ERRORS],
  ['OneSingleView', ONESINGLEVIEW_ERRORS],
])('the error table of %s', (_name, table) => {
  it.each(COMMON)('judges %s (%i)', (_what, status, body, expected) => {
    expect(summary(judgeRefusal(readRefusal(status, body), table).then)).toBe(expected);
  });
});

describe('the error table of myPOS alone', () => {
  it.each<Case>([
    ['a refused API key', 401, '{"message":"Invalid API-Key"}', IDENTITY],
    ['a refused API key under 403', 403, 'Unknown consumer key', IDENTITY],
  ])('judges %s (%i)', (_what, status, body, expected) => {
    expect(summary(judgeRefusal(readRefusal(status, body), MYPOS_ERRORS).then)).toBe(expected);
  });
});

describe('the error table of OneSingleView alone', () => {
  it.each<Case>([
    ['APIERR400', 200, fixture('onesingleview/error-failure.json'), ERROR],
    ['success: false with words', 200, fixture('onesingleview/error-success-false.json'), CONSENT],
    ['MW-401', 200, fixture('onesingleview/error-middleware.json'), TOKEN],
    ['APIERR401', 400, '{"status":"FAILURE","errorCode":"APIERR401","message":"Unauthorized"}', TOKEN],
    [
      'APIERR401 about a module',
      401,
      '{"errorCode":"APIERR401","message":"Module does not exist or you do not have permission to create consent"}',
      ERROR,
    ],
    ['the words for a wrong signature', 200, '{"success":false,"message":"Unauthorized or Invalid"}', TOKEN],
    ['APIERR500', 200, '{"status":"FAILURE","errorCode":"APIERR500","message":"Internal Server Error"}', UNAVAILABLE],
    ['a technical error in words', 200, '{"success":false,"message":"Technical Error"}', UNAVAILABLE],
    ['MW-429', 200, '{"errorCode":"MW-429","errorMessage":"too many requests"}', LIMITED],
    ['MW-403', 200, '{"errorCode":"MW-403","errorMessage":"no subscription"}', ERROR],
    ['MW-404', 200, '{"errorCode":"MW-404"}', UNKNOWN],
    [
      'a consent that needs the customer',
      403,
      '{"Code":"403","Errors":[{"ErrorCode":"UK.OBIE.Reauthenticate"}]}',
      CONSENT,
    ],
    ['success: false without a word', 200, '{"success":false}', ERROR],
  ])('judges %s (%i)', (_what, status, body, expected) => {
    expect(summary(judgeRefusal(readRefusal(status, body), ONESINGLEVIEW_ERRORS).then)).toBe(expected);
  });
});

describe('the error table of the OneSingleView token', () => {
  it.each<Case>([
    ['a bare 401', 401, '', IDENTITY],
    ['a wrong signature', 200, '{"success":false,"message":"Unauthorized or Invalid"}', IDENTITY],
    ['APIERR401', 200, '{"status":"FAILURE","errorCode":"APIERR401"}', IDENTITY],
    ['a wrong path', 404, '', ERROR],
    ['a bare 403', 403, '', ERROR],
    ['a 429', 429, '', LIMITED],
    ['a 502', 502, FIREWALL, UNAVAILABLE],
    ['APIERR500', 200, '{"status":"FAILURE","errorCode":"APIERR500"}', UNAVAILABLE],
  ])('judges %s (%i)', (_what, status, body, expected) => {
    expect(summary(judgeRefusal(readRefusal(status, body), ONESINGLEVIEW_TOKEN_ERRORS).then)).toBe(expected);
  });
});
