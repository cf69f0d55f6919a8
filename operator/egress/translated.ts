import { isIP } from "node:net";

/** Where a prefix of that many bits leaves the IPv4 address: places of its bytes (RFC 6052, section 2.2). */
const LAYOUTS: readonly (readonly number[])[] = [
  [6, 7, 9, 10],
  [7, 9, 10, 11],
  [9, 10, 11, 12],
  [12, 13, 14, 15],
];

/**
 * IPv4 addresses that an address of the prefix for translators of a network's own, 64:ff9b:1::/48 (RFC 8215), may lead to. How long a part of it the network
 * takes nobody can see, so there are several; none for any other address.
 */
export function translatedLocally(address: string): readonly string[] {
  const bytes = isIP(address) === 6 ? bytesOf(address) : [];
  if (PREFIX.some((byte, index) => bytes[index] !== byte)) return [];
  return LAYOUTS.map((places) => places.map((place) => bytes[place]).join("."));
}

const PREFIX = [0x00, 0x64, 0xff, 0x9b, 0x00, 0x01] as const;

function bytesOf(address: string): number[] {
  const [bare = ""] = address.split("%");
  // As every URL has it: in hexadecimal throughout, with at most one gap.
  const text = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const [head = [], tail = []] = text
    .split("::")
    .map((part) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16))));
  const gap = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...gap, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}
