import { checkBaseUrl } from './base-url';

describe('checkBaseUrl', () => {
  it.each([
    'https://api.bank.example',
    'https://api.bank.example:8443/v1/',
    'https://8.8.8.8/api',
    'HTTPS://Bank.Example/',
  ])('accepts %s', (url) => {
    expect(checkBaseUrl(url, false)).toBeUndefined();
  });

  it.each([
    ['http://api.bank.example/', 'must begin with https://'],
    ['https://user:pw@bank.example/', 'must not contain credentials'],
    ['https://@bank.example/', 'must not contain credentials'],
    ['https://bank.example/?', 'must not have a query or a fragment'],
    ['https://bank.example/a?b=c', 'must not have a query or a fragment'],
    ['https://bank.example/#', 'must not have a query or a fragment'],
    [' https://bank.example/', 'must not contain blanks, control characters or backslashes'],
    ['https://bank.\texample/', 'must not contain blanks, control characters or backslashes'],
    ['https:\\\\bank.example/', 'must not contain blanks, control characters or backslashes'],
    ['https:bank.example', 'must be an absolute https URL'],
    ['https:///bank.example', 'must be an absolute https URL'],
    ['file:///etc/passwd', 'must be an absolute https URL'],
    ['bank.example', 'must be an absolute https URL'],
    ['https://bank.example:99999/', 'must be an absolute https URL'],
    ['', 'must be an absolute https URL'],
    [`https://bank.example/${'a'.repeat(2048)}`, 'must not be longer than 2048 characters'],
    ['https://localhost:8080/', 'must not name a private or loopback address'],
    ['https://api.localhost./', 'must not name a private or loopback address'],
  ])('refuses %j', (url, message) => {
    expect(checkBaseUrl(url, false)).toBe(message);
  });

  it('permits http and loopback, but still no credentials, where private addresses are allowed', () => {
    expect(checkBaseUrl('http://127.0.0.1:4010/', true)).toBeUndefined();
    expect(checkBaseUrl('http://localhost:4010', true)).toBeUndefined();
    expect(checkBaseUrl('http://user@127.0.0.1/', true)).toBe('must not contain credentials');
    expect(checkBaseUrl('ftp://127.0.0.1/', true)).toBe('must be an absolute https URL');
  });
});
