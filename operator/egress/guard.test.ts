import { describe, expect, it } from "vitest";
import { addressAllowed, guardedLookup, outboundUrl } from "./guard.ts";

describe("addressAllowed", () => {
  it.each([
    ["10.0.0.7", "prometheus.monitoring.svc", true],
    ["2001:db8::7", "prometheus.example", true],
    ["169.254.169.254", "prometheus.example", false],
    ["::ffff:169.254.169.254", "prometheus.example", false],
    ["fd00:ec2::254", "prometheus.example", false],
    ["fd20:ce::254", "prometheus.example", false],
    ["100.100.100.200", "prometheus.example", false],
    ["100.100.100.201", "prometheus.example", true],
    ["192.0.0.192", "prometheus.example", false],
    ["::ffff:127.0.0.1", "prometheus.example", false],
    ["::ffff:7f00:1", "prometheus.example", false],
    ["::ffff:10.0.0.7", "prometheus.example", true],
    ["64:ff9b::a9fe:a9fe", "prometheus.example", false],
    ["64:ff9b::169.254.169.254", "prometheus.example", false],
    ["64:ff9b::7f00:1", "prometheus.example", false],
    ["64:ff9b::6464:64c8", "prometheus.example", false],
    ["64:ff9b::a00:7", "prometheus.example", true],
    ["64:ff9b:1::a9fe:a9fe", "prometheus.example", false],
    ["64:ff9b:1::169.254.169.254", "prometheus.example", false],
    ["64:ff9b:1:a9fe:a9:fe00::", "prometheus.example", false],
    ["64:ff9b:1:aba9:fe:a9fe::", "prometheus.example", false],
    ["64:ff9b:1:abcd:a9:fea9:fe00:0", "prometheus.example", false],
    ["64:ff9b:1::6464:64c8", "prometheus.example", false],
    ["64:ff9b:1::7f00:1", "prometheus.example", false],
    ["64:ff9b:1::a00:7", "prometheus.example", true],
    ["64:ff9b:1:a00:0:700::", "prometheus.example", true],
    ["64:ff9b:2::a9fe:a9fe", "prometheus.example", true],
    ["fe80::1", "prometheus.example", false],
    ["224.0.0.1", "prometheus.example", false],
    ["255.255.255.255", "prometheus.example", false],
    ["0.0.0.0", "prometheus.example", false],
    ["::", "prometheus.example", false],
    ["127.0.0.1", "prometheus.example", false],
    ["::1", "prometheus.example", false],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.1", "localhost", true],
    ["::1", "[::1]", true],
    ["no address", "prometheus.example", false],
  ])("%s for %s: %s", (address, host, allowed) => {
    expect(addressAllowed(address, host)).toBe(allowed);
  });
});

describe("outboundUrl", () => {
  it.each([
    "http://prometheus.monitoring.svc:9090",
    "https://metrics.example/prometheus/",
    "http://10.1.2.3",
    "http://localhost:9090",
  ])("takes %s", (url) => {
    expect(outboundUrl(url, "a metric source").href.startsWith("http")).toBe(true);
  });

  it.each([
    ["file:///etc/passwd", "must be http:// or https://"],
    ["prometheus:9090", "must be http:// or https://"],
    ["nonsense", "must be http:// or https://"],
    ["http://user:secret@prometheus", "without credentials"],
    ["http://169.254.169.254/latest", "must not point to 169.254.169.254"],
    ["http://2852039166/", "must not point to 169.254.169.254"],
    ["http://0xa9fea9fe/", "must not point to 169.254.169.254"],
    ["http://[::ffff:a9fe:a9fe]/", "must not point to"],
    ["http://0.0.0.0:9090", "must not point to 0.0.0.0"],
  ])("refuses %s", (url, reason) => {
    expect(() => outboundUrl(url, "a metric source")).toThrow(reason);
  });
});

describe("guardedLookup", () => {
  const resolve = (name: string, host: string, all: boolean) =>
    new Promise<unknown>((done) => {
      guardedLookup(host)(name, { all }, (error, address) => done(error ?? address));
    });

  it("gives loopback only to a source that is written as loopback", async () => {
    expect(await resolve("localhost", "localhost", true)).toContainEqual({ address: "127.0.0.1", family: 4 });
    expect(await resolve("localhost", "prometheus.example", true)).toBeInstanceOf(Error);
    expect(await resolve("localhost", "prometheus.example", false)).toBeInstanceOf(Error);
  });
});
