import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Asks for all addresses of a host name; the system's resolver unless a test brings its own. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export const systemResolve: Resolve = (hostname, callback) => systemLookup(hostname, { all: true }, callback);

/** The connection was refused by us: the host is, or resolves to, an address that the gateway must not reach. */
export class AddressNotAllowed extends Error {
  readonly code = 'ADDRESS_NOT_ALLOWED';
}

// IANA IPv4 and IPv6 special-purpose address registries (RFC 6890 and its successors): everything that is not plain public unicast.
const specialIpv4: readonly [string, number][] = [
  ['0.0.0.0', 8], // "this network"; Linux connects 0.0.0.0 to loopback
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT, RFC 6598
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, the cloud metadata service among them
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24], // 6to4 relays, RFC 7526
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4], // reserved, broadcast included
];

// Only 2000::/3 is global unicast. Outside of it lie loopback, link-local, unique local, multicast, IPv4-mapped (::ffff:0:0/96) and
// NAT64 (64:ff9b::/96, 64:ff9b:1::/48) addresses; inside of it these are special too.
const specialIpv6: readonly [string, number][] = [
  ['2001::', 23], // IETF assignments, Teredo among them (it embeds an IPv4 address)
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4 embeds an IPv4 address
  ['3fff::', 20],
];

const forbidden = new BlockList();
for (const [network, prefix] of specialIpv4) forbidden.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of specialIpv6) forbidden.addSubnet(network, prefix, 'ipv6');

const globalUnicastIpv6 = new BlockList();
globalUnicastIpv6.addSubnet('2000::', 3, 'ipv6');

/** True for a plain public unicast IP address; false for every other one and for text that is no IP address. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !forbidden.check(address, 'ipv4');
    case 6:
      // A zone such as %eth0 belongs to a link-local address, and BlockList does not read it.
      return !address.includes('%') && globalUnicastIpv6.check(address, 'ipv6') && !forbidden.check(address, 'ipv6');
    default:
      return false;
  }
}

/** The host of a URL when it is an IP address (URL has normalised decimal, octal, hex and short forms), else undefined. */
export function ipLiteral(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? undefined : bare;
}

/**
 * The lookup for net.connect: it resolves once, checks every address and hands over exactly the checked ones, so that a resolver
 * which answers differently the next time gains nothing. One forbidden address refuses the whole name.
 */
export function guardedLookup(resolve: Resolve, allowPrivateAddresses: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error) return callback(error, []);
      const first = addresses[0];
      if (first === undefined) return callback(notFound(hostname), []);
      if (!allowPrivateAddresses && !addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(new AddressNotAllowed('the name resolves to an address that is not public'), []);
      }
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' });
}
