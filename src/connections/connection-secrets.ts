import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { headerText, text } from '../admin/rules';
import { TLS_SECRETS } from '../providers/client-tls';
import type { SecretNames } from '../providers/provider';
import type { FieldError } from '../shared/problem';
import { type SecretBox, SecretProblem } from '../shared/secret-box';
import { shownText } from '../shared/shown-text';

export type Secrets = Readonly<Record<string, string>>;
/** Opened secrets; undefined stands for one that does not open, because its key is gone. */
export type OpenedSecrets = Readonly<Record<string, string | undefined>>;

const MAX_SECRET_LENGTH = 4_096;
const MAX_PEM_LENGTH = 65_536;
const TLS_NAMES: ReadonlySet<string> = new Set(TLS_SECRETS);

/** A change of secrets: text sets, null takes away. */
export type SecretChanges = Readonly<Record<string, unknown>>;

/**
 * Lays changes over the stored secrets and checks what comes out of it.
 *
 * @param stored empty for a new connection
 */
export function changeSecrets(
  stored: OpenedSecrets,
  changes: SecretChanges,
  names: SecretNames,
): { secrets: Record<string, string>; errors: FieldError[] } {
  const known = [...names.required, ...names.optional];
  const secrets: Record<string, string> = {};
  for (const [name, plain] of Object.entries(stored)) if (plain !== undefined) secrets[name] = plain;
  const errors: FieldError[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const field = `secrets.${shownText(name, 100)}`;
    const fault = known.includes(name)
      ? faultOf(name, value, names)
      : `is not a secret of this provider: use ${known.join(', ')}`;
    if (fault !== undefined) errors.push({ field, message: fault });
    else if (typeof value === 'string') secrets[name] = value;
    else delete secrets[name];
  }
  for (const [name, plain] of Object.entries(stored)) {
    if (plain !== undefined || Object.hasOwn(changes, name)) continue;
    errors.push({
      field: `secrets.${name}`,
      message: 'cannot be opened any more: send it again, or null to take it away',
    });
  }
  for (const name of names.required) {
    const reported = errors.some(({ field }) => field === `secrets.${name}`);
    if (secrets[name] === undefined && !reported) {
      errors.push({ field: `secrets.${name}`, message: 'is required by this provider' });
    }
  }
  // Stored material is not judged again with every change of another secret: a certificate may have run out meanwhile.
  const tlsChanged = Object.keys(changes).some((name) => TLS_NAMES.has(name));
  if (errors.length === 0 && tlsChanged) errors.push(...tlsFaults(secrets));
  return { secrets, errors };
}

export function sealSecrets(box: SecretBox, connectionId: string, secrets: Secrets): Record<string, string> {
  return mapValues(secrets, (plain, name) => box.seal(plain, contextOf(connectionId, name)));
}

/** @throws SecretProblem */
export function openSecrets(box: SecretBox, connectionId: string, sealed: Secrets): Record<string, string> {
  return mapValues(sealed, (secret, name) => box.open(secret, contextOf(connectionId, name)));
}

/** What there is to lay changes over: a secret whose key was lost can be replaced, and stands in the way of no other. */
export function openable(box: SecretBox, connectionId: string, sealed: Secrets): OpenedSecrets {
  return Object.fromEntries(
    Object.entries(sealed).map(([name, secret]) => {
      try {
        return [name, box.open(secret, contextOf(connectionId, name))];
      } catch (error) {
        if (!(error instanceof SecretProblem)) throw error;
        return [name, undefined];
      }
    }),
  );
}

function contextOf(connectionId: string, name: string): string {
  return `connection|secrets.${name}|${connectionId}`;
}

function mapValues(record: Secrets, map: (value: string, name: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

function faultOf(name: string, value: unknown, { inHeaders }: SecretNames): string | undefined {
  if (value === null) return undefined;
  if (inHeaders.includes(name)) return headerText(MAX_SECRET_LENGTH)(value);
  if (!TLS_NAMES.has(name)) return text(MAX_SECRET_LENGTH)(value);
  if (typeof value !== 'string') return 'must be a text';
  return value.length >= 1 && value.length <= MAX_PEM_LENGTH
    ? undefined
    : `must have 1 to ${MAX_PEM_LENGTH} characters`;
}

/** Material that cannot work is refused here, with a reason, instead of failing every handshake with the bank later. */
function tlsFaults(secrets: Secrets): FieldError[] {
  const { clientCertificate, clientKey, clientKeyPassphrase, caCertificate } = secrets;
  const errors: FieldError[] = [];
  const fault = (name: string, message: string): void => void errors.push({ field: `secrets.${name}`, message });
  if (caCertificate !== undefined && !parseCertificates(caCertificate)) {
    fault('caCertificate', 'must be one or more PEM certificates (-----BEGIN CERTIFICATE-----)');
  }
  if (clientCertificate === undefined && clientKey === undefined) {
    if (clientKeyPassphrase !== undefined) fault('clientKeyPassphrase', 'needs a clientKey that it opens');
    return errors;
  }
  if (clientCertificate === undefined) fault('clientCertificate', 'is required together with clientKey');
  if (clientKey === undefined) fault('clientKey', 'is required together with clientCertificate');
  const [certificate] = parseCertificates(clientCertificate ?? '') ?? [];
  if (clientCertificate !== undefined && !certificate) {
    fault('clientCertificate', 'must be a PEM certificate, followed by its chain if there is one');
  }
  const key = clientKey === undefined ? undefined : parseKey(clientKey, clientKeyPassphrase);
  if (clientKey !== undefined && !key) {
    fault('clientKey', 'must be a PEM private key, with its clientKeyPassphrase where it is encrypted');
  }
  if (certificate && new Date(certificate.validTo) < new Date()) {
    fault('clientCertificate', 'has expired: send one that is still valid');
  }
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    fault('clientKey', 'does not belong to clientCertificate: send the pair');
  }
  return errors;
}

function parseCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    return blocks?.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function parseKey(pem: string, passphrase: string | undefined): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  } catch {
    return undefined;
  }
}
