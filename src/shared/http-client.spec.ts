import type { LookupAddress } from 'node:dns';
import { checkBaseUrl, HttpClient, type OutgoingRequest } from './http-client';
import { isPublicAddress } from './http/address-guard';

const clients: HttpClient[] = [];
afterAll(() => Promise.all(clients.map((client) => client.close())));

/** A client whose names resolve to the given addresses; nothing in this file opens a connection. */
function clientWith(addresses: string[] = [], allowPrivateAddresses = false): { client: HttpClient; asked: string[] } {
  const asked: string[] = [];
  const client = new HttpClient({
    allowPrivateAddresses,
    resolve: (hostname, callback) => {
      asked.push(hostname);
      const found = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
      setImmediate(() => callback(null, found));
    },
  });
  clients.push(client);
  return { client, asked };
}

function get(url: string, changes: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'GET', url, headers: {}, deadlineMs: 5_000, ...changes };
}

describe('an address that is not public', () => {
  const literals = [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://127.255.255.254:8443/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://127.0.0.1./',
    'https://%31%32%37.0.0.1/',
    'https://１２７.0.0.1/',
    'https://0/',
    'https://0.0.0.0/',
    'https://10.0.0.1/',
    'https://10.255.255.255/',
    'https://100.64.0.1/',
    'https://100.127.255.255/',
    'https://169.254.169.254/latest/meta-data/',
    'https://2852039166/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.0.0.192/',
    'https://192.0.2.1/',
    'https://192.168.0.1/',
    'https://198.18.0.1/',
    'https://198.51.100.7/',
    'https://203.0.113.7/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::]/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::127.0.0.1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::a00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[fc00::1]/',
    'https://[fd00:ec2::254]/',
    'https://[ff02::1]/',
    'https://[2001:db8::1]/',
  ];

  it.each(literals)('is refused as the literal %s before any byte leaves, and as a base URL', async (url) => {
    const { client, asked } = clientWith();
    expect(await client.send(get(url))).toMatchObject({
      kind: 'failure',
      cause: 'address-not-allowed',
      bytesMayHaveLeft: false,
    });
    expect(asked).toEqual([]);
    expect(checkBaseUrl(url, false)).toBe('must not name a private or loopback address');
  });

  it.each([
    ['https://intranet.bank.example/', ['127.0.0.1']],
    ['https://localhost/', ['127.0.0.1']],
    ['https://metadata.google.internal/', ['169.254.169.254']],
    ['https://bank.example.:443/', ['10.1.2.3']],
    ['https://six.bank.example/', ['::1']],
    ['https://mapped.bank.example/', ['::ffff:10.0.0.1']],
    ['https://zone.bank.example/', ['fe80::1%eth0']],
    ['https://mixed.bank.example/', ['93.184.216.34', '192.168.1.1']],
  ])('is refused when the name %s resolves to %j', async (url, addresses) => {
    const { client, asked } = clientWith(addresses);
    expect(await client.send(get(url))).toMatchObject({ cause: 'address-not-allowed', bytesMayHaveLeft: false });
    expect(asked).toHaveLength(1);
  });

  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '2a00:1450:4001::200e'])(
    'is not what %s is',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it('is not accepted for text that is no address', () => {
    expect(['', 'bank.example', '1.2.3', '8.8.8.8 '].filter(isPublicAddress)).toEqual([]);
  });
});

describe('a request that cannot be sent', () => {
  const big = 10 * 1024 * 1024 + 1;
  const json = { 'content-type': 'application/json' };
  it.each<[string, Partial<OutgoingRequest>, string]>([
    ['no URL', { url: 'bank' }, 'invalid-request'],
    ['another scheme', { url: 'ftp://bank.example/' }, 'invalid-request'],
    ['plain http', { url: 'http://bank.example/' }, 'invalid-request'],
    ['user@host', { url: 'https://api.bank.example@127.0.0.1/' }, 'invalid-request'],
    ['a password', { url: 'https://:hidden@bank.example/' }, 'invalid-request'],
    ['no deadline', { deadlineMs: 0 }, 'invalid-request'],
    ['an endless deadline', { deadlineMs: Infinity }, 'invalid-request'],
    ['an endless answer', { maxResponseBytes: Infinity }, 'invalid-request'],
    ['a line break in a header', { headers: { 'x-a': 'hidden\r\nx-b: 1' } }, 'invalid-request'],
    ['a header beyond Latin-1', { headers: { 'x-a': 'hidden ą' } }, 'invalid-request'],
    ['a blank in a header name', { headers: { 'x a': 'hidden' } }, 'invalid-request'],
    ['a Host header of its own', { headers: { Host: 'other.example' } }, 'invalid-request'],
    ['a framing header of its own', { headers: { 'Transfer-Encoding': 'chunked' } }, 'invalid-request'],
    ['a User-Agent of its own', { headers: { 'User-Agent': 'hidden' } }, 'invalid-request'],
    ['headers beyond 32 KiB', { headers: { 'x-a': 'h'.repeat(33_000) } }, 'request-too-large'],
    ['a GET with a body', { body: 'hidden' }, 'invalid-request'],
    ['a body without a content type', { method: 'POST', body: 'hidden' }, 'invalid-request'],
    ['a body of one byte beyond 10 MiB', { method: 'POST', headers: json, body: 'a'.repeat(big) }, 'request-too-large'],
    [
      'a body beyond 10 MiB in UTF-8 only',
      { method: 'PUT', headers: json, body: '€'.repeat(big / 3 + 1) },
      'request-too-large',
    ],
  ])('is refused for %s without asking the resolver', async (_, changes, cause) => {
    const { client, asked } = clientWith(['93.184.216.34']);
    const result = await client.send(get('https://bank.example/path?token=hidden', changes));
    expect(result).toMatchObject({ kind: 'failure', cause, bytesMayHaveLeft: false });
    expect(JSON.stringify(result)).not.toContain('hidden');
    expect(asked).toEqual([]);
  });

  it('is refused once the client is closed', async () => {
    const { client } = clientWith(['93.184.216.34']);
    await client.close();
    expect(await client.send(get('https://bank.example/'))).toMatchObject({
      cause: 'connection-lost',
      bytesMayHaveLeft: false,
    });
  });
});

describe('a name that does not resolve', () => {
  it('is a dns failure, also where the resolver gives an empty list', async () => {
    const { client } = clientWith([]);
    expect(await client.send(get('https://nowhere.example/'))).toMatchObject({ cause: 'dns', bytesMayHaveLeft: false });
  });
});
