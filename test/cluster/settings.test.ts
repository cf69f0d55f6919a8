import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { overlaps } from "./network.ts";
import { clusterSettings, isWorkFolder, otherClusters, siblingNetwork } from "./settings.ts";

describe("clusterSettings", () => {
  const cache = { LLMBRIDGE_CACHE: "/cache" };

  it("gives every address from one network", () => {
    const settings = clusterSettings({ ...cache, LLMBRIDGE_CLUSTER_NETWORK: "10.9" });
    expect(settings).toMatchObject({
      workFolder: "/cache/cluster-9",
      link: "llmbridge9",
      cgroup: "llmbridge-test-9",
      hostAddress: "10.9.0.1",
      dnsAddress: "10.9.128.10",
      loopback: "127.9.0.1",
    });
  });

  it("keeps link, pods and Services apart", () => {
    const { linkRange, podRange, serviceRange } = clusterSettings(cache);
    expect(
      overlaps(linkRange, podRange) || overlaps(podRange, serviceRange) || overlaps(linkRange, serviceRange),
    ).toBe(false);
  });

  it("keeps clusters of different networks apart", () => {
    const first = clusterSettings(cache);
    const second = clusterSettings({ ...cache, LLMBRIDGE_CLUSTER_NETWORK: "10.214" });
    for (const key of ["workFolder", "link", "cgroup", "loopback", "hostAddress"] as const) {
      expect(first[key]).not.toBe(second[key]);
    }
  });

  it("names links as short as the kernel wants them", () => {
    const { link } = clusterSettings({ ...cache, LLMBRIDGE_CLUSTER_NETWORK: "10.255" });
    expect(link.length).toBeLessThanOrEqual(15);
  });

  it.each(["10", "10.256", "192.168", "10.2.3", "", "10.01x"])("refuses %j as a network", (network) => {
    expect(() => clusterSettings({ ...cache, LLMBRIDGE_CLUSTER_NETWORK: network })).toThrow(
      `LLMBRIDGE_CLUSTER_NETWORK is "${network}"; write two numbers such as 10.213, the first one 10.`,
    );
  });

  it("refuses a folder in which unix sockets would have too long a path", () => {
    expect(() => clusterSettings({ LLMBRIDGE_CACHE: `/${"x".repeat(90)}` })).toThrow(
      /set LLMBRIDGE_CACHE to a shorter path/,
    );
  });
});

describe("clusters beside each other", () => {
  it("have networks of their own, the last one's neighbour being the first", () => {
    expect(siblingNetwork({ LLMBRIDGE_CACHE: "/cache" }, 1)).toBe("10.214");
    expect(siblingNetwork({ LLMBRIDGE_CACHE: "/cache", LLMBRIDGE_CLUSTER_NETWORK: "10.255" }, 2)).toBe(
      "10.1",
    );
  });

  it("are known by their work folders", () => {
    const cache = mkdtempSync(join(tmpdir(), "llmbridge-cache-"));
    for (const name of ["cluster-213", "cluster-7", "cluster-7.lock", "tools"]) mkdirSync(join(cache, name));
    const others = otherClusters(clusterSettings({ LLMBRIDGE_CACHE: cache }));
    rmSync(cache, { recursive: true });
    expect(others.map(({ network }) => network)).toEqual(["10.7"]);
    expect(isWorkFolder("/cache/api-servers/one")).toBe(false);
  });
});
