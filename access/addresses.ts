/** Which addresses may speak to us at all. Pure. */
import ipaddr from 'ipaddr.js';
import { Fault } from '#kernel/errors.ts';

export type AddressList = readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[];

const ENTRIES_MAX = 1_000;

/** @param entries addresses and CIDR blocks, IPv4 or IPv6. @throws {Fault} `address_invalid` quoting the wrong one. */
export function parseAddresses(entries: readonly string[]): AddressList {
  if (entries.length > ENTRIES_MAX) {
    throw new Fault('address_invalid', `Cannot use ${entries.length} addresses: the limit is ${ENTRIES_MAX}`);
  }
  return entries.map((entry) => {
    const text = entry.trim();
    if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
    // Four parts or none: ipaddr.js would read "10" as 0.0.0.10.
    if (!(ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text))) {
      throw new Fault('address_invalid', `Cannot use "${text}" as an address: expected 192.0.2.7 or 192.0.2.0/24`);
    }
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128] as const;
  });
}

/** An IPv4 address inside an IPv6 socket is judged as what it is. */
export function isListed(list: AddressList, address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const own = ipaddr.process(address);
  return list.some(([network, bits]) => own.kind() === network.kind() && own.match(network, bits));
}

export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}
