import { KubeConfig } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { proxyFor, useProxyOf } from "./proxy.ts";

const PROXY = { HTTPS_PROXY: "http://proxy:3128" };

describe("the proxy of the environment", () => {
  it.each([
    ["https://api:6443", PROXY, "http://proxy:3128"],
    ["https://api:6443", { https_proxy: "proxy:3128" }, "http://proxy:3128"],
    ["https://api:6443", { HTTPS_PROXY: "http://a:1", https_proxy: "http://b:1" }, "http://a:1"],
    ["https://api:6443", { HTTP_PROXY: "http://proxy:3128" }, undefined],
    ["http://api:8001", { HTTP_PROXY: "http://proxy:3128" }, "http://proxy:3128"],
    ["http://api:8001", PROXY, undefined],
    ["https://api:6443", { HTTPS_PROXY: "" }, undefined],
    ["https://localhost:6443", PROXY, undefined],
    ["https://127.0.0.1:6443", PROXY, undefined],
    ["https://[::1]:6443", PROXY, undefined],
  ])("of %s with %j is %s", (url, environment, proxy) => {
    expect(proxyFor(new URL(url), environment)).toBe(proxy);
  });

  it.each([
    ["https://api.example.com", "*", true],
    ["https://api.example.com", "other.com, example.com", true],
    ["https://api.example.com", ".example.com", true],
    ["https://api.example.com", "*.example.com", true],
    ["https://API.example.com.", "Api.Example.com", true],
    ["https://example.com", "example.com", true],
    ["https://example.com", ".example.com", false],
    ["https://notexample.com", "example.com", false],
    ["https://api.example.com:6443", "example.com:6443", true],
    ["https://api.example.com", "example.com:443", true],
    ["https://api.example.com:6443", "example.com:443", false],
    ["https://10.1.2.3:6443", "10.0.0.0/8", true],
    ["https://11.1.2.3:6443", "10.0.0.0/8", false],
    ["https://10.1.2.3:6443", "10.1.2.3", true],
    ["https://10.1.2.3:6443", "10.1.2.3:443", false],
    ["https://[fd00::1]:6443", "fd00::/8", true],
    ["https://[fd00::1]:6443", "[fd00::1]:6443", true],
    ["https://[fd00::1]:6443", "fd00::1", true],
    ["https://10.1.2.3", "10.0.0.0/99", false],
    ["https://api.example.com", ",", false],
  ])("of %s with NO_PROXY=%s is none: %s", (url, NO_PROXY, isDirect) => {
    expect(proxyFor(new URL(url), { ...PROXY, NO_PROXY }) === undefined).toBe(isDirect);
  });
});

describe("a kubeconfig", () => {
  const used = (proxyUrl?: string) => {
    const config = new KubeConfig();
    const cluster = { name: "c", server: "https://api:6443", skipTLSVerify: false };
    config.loadFromClusterAndUser(proxyUrl ? { ...cluster, proxyUrl } : cluster, { name: "u" });
    useProxyOf(PROXY, config);
    return config.getCurrentCluster()?.proxyUrl;
  };

  it("is reached through it, unless it names one itself", () => {
    expect(used()).toBe("http://proxy:3128");
    expect(used("http://own:1")).toBe("http://own:1");
  });
});
