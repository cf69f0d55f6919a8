import { type LookupOptions, lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { translatedLocally } from "./translated.ts";

/**
 * Addresses that nothing has which this process asks or tells anything. Whom it may ask comes from the administrator alone; this guards against
 * a name that resolves, now or later, to the cloud's metadata service or to something that is no host. Loopback is for what is written as loopback.
 */
const refused = new BlockList();
refused.addSubnet("169.254.0.0", 16, "ipv4");
refused.addSubnet("224.0.0.0", 3, "ipv4");
refused.addSubnet("0.0.0.0", 8, "ipv4");
refused.addSubnet("fe80::", 10, "ipv6");
refused.addSubnet("ff00::", 8, "ipv6");
refused.addAddress("::", "ipv6");
// Metadata services that are not link-local: of AWS and GCP over IPv6, of Alibaba and of Oracle.
refused.addAddress("fd00:ec2::254", "ipv6");
refused.addAddress("fd20:ce::254", "ipv6");
refused.addAddress("100.100.100.200", "ipv4");
refused.addAddress("192.0.0.192", "ipv4");
// The same by way of a translator from IPv6 to IPv4 (RFC 6052).
refused.addSubnet("64:ff9b::a9fe:0", 112, "ipv6");
refused.addSubnet("64:ff9b::e000:0", 99, "ipv6");
refused.addSubnet("64:ff9b::", 104, "ipv6");
refused.addAddress("64:ff9b::6464:64c8", "ipv6");
refused.addAddress("64:ff9b::c000:c0", "ipv6");

/**
 * What is refused of an address that a network's own translator may lead to, be it one of several: zeros and ones of a longer prefix would be taken for
 * addresses that are none.
 */
const refusedBehind = new BlockList();
refusedBehind.addSubnet("169.254.0.0", 16, "ipv4");
refusedBehind.addSubnet("127.0.0.0", 8, "ipv4");
refusedBehind.addAddress("100.100.100.200", "ipv4");
refusedBehind.addAddress("192.0.0.192", "ipv4");

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
loopback.addSubnet("64:ff9b::7f00:0", 104, "ipv6");

/** Whether a connection to `address` may be made for a URL that names `host`. IPv4 written as IPv6 is judged as IPv4. */
export function addressAllowed(address: string, host: string): boolean {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  if (isIP(address) === 0 || refused.check(address, family)) return false;
  if (translatedLocally(address).some((behind) => refusedBehind.check(behind, "ipv4"))) return false;
  return !loopback.check(address, family) || namesLoopback(host);
}

export function namesLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "");
  if (bare === "localhost") return true;
  return isIP(bare) !== 0 && loopback.check(bare, isIP(bare) === 6 ? "ipv6" : "ipv4");
}

/**
 * A URL that may be asked, refused where its host is an address that is never allowed.
 * @param whose what the URL is of, for the message: "a metric source"
 * @throws RangeError with a sentence for the administrator, which holds nothing of the URL but a refused address
 */
export function outboundUrl(url: string, whose: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) {
    throw new RangeError(
      `The URL of ${whose} must be http:// or https:// with a host and without credentials.`,
    );
  }
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !addressAllowed(host, host)) {
    throw new RangeError(
      `The URL of ${whose} must not point to ${host}, which is link-local, multicast or unspecified.`,
    );
  }
  return parsed;
}

/** Name resolution that yields allowed addresses only, checked at the moment of dialling. */
export function guardedLookup(host: string): LookupFunction {
  return (name: string, options: LookupOptions, callback) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const allowed = addresses.filter(({ address }) => addressAllowed(address, host));
      const [first] = allowed;
      if (first === undefined) {
        return callback(new Error("every address of the host is refused"), "", 0);
      }
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
