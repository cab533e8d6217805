import { hash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { buildConnector, Pool } from 'undici';
import { guardedLookup, ipLiteral, isPublicAddress, type Resolve } from './address-guard';
import { CallProblem, codeOf, tlsProblem } from './failure';
import type { ClientTls } from './types';

const MAX_POOLS = 256;
const MAX_RESPONSE_HEADER_BYTES = 16 * 1024;
// Servers close idle connections, and a request that crosses such a close is in doubt: better to close first.
const KEEP_ALIVE_MS = 4_000;
const MAX_KEEP_ALIVE_MS = 30_000;
// Node's own 250 ms gives up on addresses that are merely far away.
const NEXT_ADDRESS_AFTER_MS = 1_000;

export interface PoolOptions {
  allowPrivateAddresses: boolean;
  resolve: Resolve;
  /** Milliseconds for name resolution, TCP and TLS together. */
  connectTimeoutMs: number;
  /** Most connections of one pool. Calls beyond it queue in the pool while their deadlines run. */
  connectionsPerOrigin: number;
}

/** Keep-alive connections, one pool per origin and TLS identity, so that no connection is ever used under another's certificate. */
export class ConnectionPools {
  /** In order of last use, oldest first. */
  private readonly pools = new Map<string, Pool>();
  /** The last of them, which need not be moved to its place. */
  private latest = '';

  constructor(private readonly options: PoolOptions) {}

  /** Throws a CallProblem where the address is forbidden or the certificate or key cannot be read. */
  poolFor(url: URL, tls: ClientTls | undefined): Pool {
    const key = tls === undefined ? url.origin : `${url.origin} ${identityOf(tls)}`;
    let pool = this.pools.get(key);
    if (pool !== undefined && key === this.latest) return pool;
    if (pool === undefined) pool = this.open(url, tls);
    else this.pools.delete(key);
    this.pools.set(key, pool);
    this.latest = key;
    this.evict();
    return pool;
  }

  /** Cuts every connection; calls still in flight fail. */
  async close(): Promise<void> {
    const pools = [...this.pools.values()];
    this.pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  private open(url: URL, tls: ClientTls | undefined): Pool {
    // A name is checked when it is resolved; a literal never is.
    const literal = ipLiteral(url.hostname);
    if (!this.options.allowPrivateAddresses && literal !== undefined && !isPublicAddress(literal)) {
      throw new CallProblem('address-not-allowed', 'the address is not public');
    }
    return new Pool(url.origin, {
      connections: this.options.connectionsPerOrigin,
      pipelining: 1,
      allowH2: false,
      useMilo: false,
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
      // The exchange has one deadline over everything.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.connector(tls),
    });
  }

  private connector(tls: ClientTls | undefined): buildConnector.connector {
    const { allowPrivateAddresses, resolve, connectTimeoutMs } = this.options;
    const connect = buildConnector({
      timeout: connectTimeoutMs,
      allowH2: false,
      lookup: guardedLookup(resolve, allowPrivateAddresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
      secureContext: secureContext(tls),
      // Said here because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise decide it.
      rejectUnauthorized: true,
    });
    return (target, callback) =>
      connect(target, (error, socket) => {
        if (error) return callback(error, null);
        // TLS 1.3 refuses a client certificate after the handshake. Node reports the alert, then the end of the stream, and undici would
        // keep the latter only; destroying at once keeps the reason.
        socket.once('error', (reason: Error) => socket.destroy(reason));
        callback(null, socket);
      });
  }

  private evict(): void {
    if (this.pools.size <= MAX_POOLS) return;
    const oldest = this.pools.entries().next().value;
    if (oldest === undefined) return;
    this.pools.delete(oldest[0]);
    // Its calls in flight are finished first.
    void oldest[1].close();
  }
}

function secureContext(tls: ClientTls | undefined): SecureContext {
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ...(tls?.certificate !== undefined && { cert: tls.certificate }),
      ...(tls?.key !== undefined && { key: tls.key }),
      ...(tls?.passphrase !== undefined && { passphrase: tls.passphrase }),
      ...(tls?.ca !== undefined && { ca: tls.ca }),
    });
  } catch (error) {
    throw new CallProblem(
      'tls',
      `the client certificate, its key or the authority cannot be used: ${tlsProblem(codeOf(error)).message}`,
    );
  }
}

/** A digest, so that no key text lives on in a map. */
function identityOf({ certificate, key, passphrase, ca }: ClientTls): string {
  return hash('sha256', JSON.stringify([certificate, key, passphrase, ca]));
}
