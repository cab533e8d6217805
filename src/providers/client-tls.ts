import type { ClientTls } from '../shared/http-client';

/** Secrets that every provider accepts, PEM: our client certificate, and the bank's own certificate authority. */
export const TLS_SECRETS = ['clientCertificate', 'clientKey', 'clientKeyPassphrase', 'caCertificate'] as const;

/** The TLS identity of a connection, undefined where it has none. */
export function clientTls(secrets: Readonly<Record<string, string>>): ClientTls | undefined {
  const { clientCertificate, clientKey, clientKeyPassphrase, caCertificate } = secrets;
  const tls: ClientTls = {
    ...(clientCertificate ? { certificate: clientCertificate } : {}),
    ...(clientKey ? { key: clientKey } : {}),
    ...(clientKeyPassphrase ? { passphrase: clientKeyPassphrase } : {}),
    ...(caCertificate ? { ca: caCertificate } : {}),
  };
  return Object.keys(tls).length > 0 ? tls : undefined;
}
