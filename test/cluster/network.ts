import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { run } from "../../tools/setup/command.ts";
import type { ProcessId } from "./processes.ts";
import type { ClusterSettings } from "./settings.ts";

/** Joins the node's network namespace to the machine by a veth pair, with routes to pods and Services. */
export async function connectNode(settings: ClusterSettings, node: ProcessId): Promise<void> {
  const lines = [
    `link add ${settings.link} type veth peer name eth0 netns ${node.pid}`,
    `addr add ${settings.hostAddress}/24 dev ${settings.link}`,
    `link set ${settings.link} up`,
  ];
  await run(["ip", "-batch", "-"], { input: lines.join("\n") });
  // The node has no default route: nothing that runs on it reaches another network, whatever the machine forwards.
  const inside = [
    "link set lo up",
    `addr add ${settings.nodeAddress}/24 dev eth0`,
    "link set eth0 up",
    `route add ${settings.serviceRange} dev eth0`,
  ];
  const enter = ["nsenter", "--target", String(node.pid), "--mount", "--net"] as const;
  await run([...enter, "ip", "-batch", "-"], { input: inside.join("\n") });
  const forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
  await run([...enter, "--pid", "sh", "-c", forward]);
  const outside = [settings.podRange, settings.serviceRange].map(
    (range) => `route add ${range} via ${settings.nodeAddress}`,
  );
  await run(["ip", "-batch", "-"], { input: outside.join("\n") });
}

/** Removes the veth pair, and with it its addresses and routes; fine when there is none. */
export async function removeLink(link: string): Promise<void> {
  if (!linkExists(link)) return;
  try {
    await run(["ip", "link", "delete", link]);
  } catch (error) {
    // The kernel takes it away by itself when the node's namespace ends, which may be at this very moment.
    if (linkExists(link)) throw error;
  }
}

export function linkExists(link: string): boolean {
  return existsSync(`/sys/class/net/${link}`);
}

export interface Route {
  readonly dst: string;
  readonly dev?: string;
}

/** Says which of the wanted ranges overlaps a route that exists; the default route does not count. */
export function rangeConflict(wanted: readonly string[], routes: readonly Route[]): string | undefined {
  for (const range of wanted) {
    const other = routes.find((route) => route.dst !== "default" && overlaps(range, route.dst));
    if (other) {
      return `${range} is wanted for the test cluster, but this machine routes ${other.dst} to ${other.dev ?? "another place"}; set LLMBRIDGE_CLUSTER_NETWORK to a free half such as 10.214.`;
    }
  }
  return undefined;
}

export async function machineRoutes(): Promise<Route[]> {
  return JSON.parse(await run(["ip", "-json", "-4", "route", "show"])) as Route[];
}

/** Whether two IPv4 ranges (`a.b.c.d/n`, or one address) have an address in common. */
export function overlaps(left: string, right: string): boolean {
  const [leftBase, leftBits] = parseRange(left);
  const [rightBase, rightBits] = parseRange(right);
  const shift = 32 - Math.min(leftBits, rightBits);
  return shift === 32 || leftBase >>> shift === rightBase >>> shift;
}

function parseRange(range: string): [number, number] {
  const [address = "", bits = "32"] = range.split("/");
  const base = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [base, Number(bits)];
}

/**
 * The process that listens on a TCP port of an address, or of all addresses, as `<pid> <name>`; undefined when none
 * does.
 */
export function listenerOf(address: string, port: number): string | undefined {
  // The kernel writes an address in the machine's byte order.
  const bytes = address.split(".").reverse();
  const hexAddress = bytes.map((byte) => hex(Number(byte), 2)).join("");
  const places = [hexAddress, "0".repeat(8), "0".repeat(32)].map((place) => `${place}:${hex(port, 4)}`);
  const LISTENING = "0A";
  const inodes = ["/proc/net/tcp", "/proc/net/tcp6"].filter(existsSync).flatMap((table) =>
    readFileSync(table, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENING && places.includes(fields[1] ?? ""))
      .map((fields) => fields[9]),
  );
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && holdsSocket(name, wanted));
  return pid === undefined
    ? "a process of another user"
    : `${pid} ${readFileSync(`/proc/${pid}/comm`, "utf8").trim()}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function holdsSocket(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
