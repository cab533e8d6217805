import { execFileSync } from 'node:child_process';
import { signature } from './signature';

describe('signature', () => {
  it('agrees with the vector that was computed from the documented algorithm', () => {
    const body = JSON.stringify({
      clientId: 'abcd',
      clientCode: 'xyz',
      merchantId: 'merchant',
      grantType: 'client_credentials',
    });
    expect(signature(body, '1234567890')).toBe('5a0f5e6238cfa9b1f6c248194053bfde2c56d7f069fb60a31179995b15c60267');
  });

  it('signs the UTF-8 bytes of Arabic text, not escapes of it', () => {
    const body = JSON.stringify({ name: 'مصرف الراجحي', path: 'a/b' });
    const script = 'printf %s "$BODY" | base64 -w0 | { cat; printf %s "$KEY"; } | sha256sum | cut -d" " -f1';
    const expected = execFileSync('sh', ['-c', script], { env: { ...process.env, BODY: body, KEY: 'kéy' } });
    expect(body).toContain('مصرف');
    expect(signature(body, 'kéy')).toBe(expected.toString().trim());
  });

  it('changes with one byte of the body or of the key', () => {
    const signatures = [signature('{"a":1}', 'key'), signature('{"a":2}', 'key'), signature('{"a":1}', 'kez')];
    expect(new Set(signatures).size).toBe(3);
  });
});
