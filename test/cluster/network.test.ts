import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { listenerOf, overlaps, rangeConflict } from "./network.ts";

describe("overlaps", () => {
  it.each([
    ["10.213.0.0/24", "10.213.0.0/24", true],
    ["10.213.64.0/20", "10.213.0.0/16", true],
    ["10.0.0.0/8", "10.213.64.0/20", true],
    ["10.213.64.0/20", "10.213.79.255", true],
    ["10.213.64.0/20", "10.213.80.0/20", false],
    ["10.213.0.0/24", "172.17.0.0/16", false],
    ["192.168.0.0/16", "192.169.0.0/16", false],
    ["0.0.0.0/0", "10.213.0.0/24", true],
  ])("%s and %s: %s", (left, right, expected) => {
    expect(overlaps(left, right)).toBe(expected);
    expect(overlaps(right, left)).toBe(expected);
  });
});

describe("rangeConflict", () => {
  it("says which route is in the way, and what to set", () => {
    const routes = [
      { dst: "default", dev: "eth0" },
      { dst: "10.192.0.0/11", dev: "cni0" },
    ];
    expect(rangeConflict(["10.213.64.0/20"], routes)).toBe(
      "10.213.64.0/20 is wanted for the test cluster, but this machine routes 10.192.0.0/11 to cni0; set LLMBRIDGE_CLUSTER_NETWORK to a free half such as 10.214.",
    );
  });

  it("lets the default route be", () => {
    expect(rangeConflict(["10.213.64.0/20"], [{ dst: "default", dev: "eth0" }])).toBeUndefined();
  });
});

describe("listenerOf", () => {
  const server = createServer();
  const listen = (host: string): Promise<number> =>
    new Promise((resolve) => {
      server.listen(0, host, () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it("names the process on the same address", async () => {
    const port = await listen("127.0.0.1");
    expect(listenerOf("127.0.0.1", port)).toMatch(new RegExp(`^${process.pid} \\S`));
    expect(listenerOf("127.7.7.7", port)).toBeUndefined();
  });

  it("names a process that listens on every address", async () => {
    const port = await listen("0.0.0.0");
    expect(listenerOf("127.7.7.7", port)).toMatch(new RegExp(`^${process.pid} `));
  });
});
