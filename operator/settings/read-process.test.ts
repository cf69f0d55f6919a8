import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { SettingsError } from "./problem.ts";
import { readProcessSettings, wantsHelp } from "./read-process.ts";

describe("readProcessSettings", () => {
  it("has a default for everything", () => {
    expect(readProcessSettings([], {})).toEqual({
      settings: "/etc/llmbridge-operator/settings.yaml",
      watchNamespaces: [],
      bridgeSelector: "",
      leaderElection: true,
      leaseName: "llmbridge-operator",
      leaseNamespace: "default",
      instance: hostname(),
      metricsPort: 8080,
      healthPort: 8081,
      logLevel: "info",
      kubeconfig: undefined,
      context: undefined,
    });
  });

  it.each([
    "shard=a",
    "!shard",
    "team,shard!=b",
    "example.com/shard in (a,b)",
    "shard notin (a, b), team==web",
  ])("takes the label selector %s", (bridgeSelector) => {
    expect(readProcessSettings([`--bridge-selector=${bridgeSelector}`], {})).toMatchObject({
      bridgeSelector,
    });
  });

  it.each(["shard in a", "shard=a;team=b", "=a", "shard in (a", "-shard"])(
    "refuses the label selector %s",
    (bad) => {
      expect(() => readProcessSettings([`--bridge-selector=${bad}`], {})).toThrow(
        `--bridge-selector is "${bad}", but it must be a label selector such as shard=a`,
      );
    },
  );

  it("takes a flag before the environment, and that before what the pod says", () => {
    const environment = {
      LLMBRIDGE_METRICS_PORT: "1",
      LLMBRIDGE_LOG_LEVEL: "warn",
      POD_NAMESPACE: "ops",
      POD_NAME: "pod-1",
    };
    const settings = readProcessSettings(["--metrics-port=2"], environment);
    expect(settings).toMatchObject({
      metricsPort: 2,
      logLevel: "warn",
      leaseNamespace: "ops",
      instance: "pod-1",
    });
  });

  it.each([
    [["--watch-namespaces=a,b"], { watchNamespaces: ["a", "b"] }],
    [["--watch-namespaces", "a"], { watchNamespaces: ["a"] }],
    [["--leader-election=false"], { leaderElection: false }],
    [["--leader-election", "false"], { leaderElection: false }],
    [["--leader-election", "--health-port", "0"], { leaderElection: true, healthPort: 0 }],
    [["--kubeconfig=/a=b"], { kubeconfig: "/a=b" }],
  ])("reads %j", (argv, expected) => {
    expect(readProcessSettings(argv, {})).toMatchObject(expected);
  });

  it.each([
    [
      ["--metrics-port=http"],
      '--metrics-port is "http", but it must be a port from 0 to 65535 (0 picks a free one)',
    ],
    [["--metrics-port=70000"], '--metrics-port is "70000", but it must be a port'],
    [["--leader-election=maybe"], '--leader-election is "maybe", but it must be true or false'],
    [["--log-level=loud"], '--log-level is "loud", but it must be debug, info, warn or error'],
    [["--watch-namespaces=A_b"], "but it must be names of namespaces separated by commas"],
    [
      ["--metric-port=1"],
      '"--metric-port=1" is not a flag of the operator; it takes --settings, --watch-namespaces',
    ],
    [["run"], '"run" is not a flag of the operator'],
    [["--lease-name"], "--lease-name has no value; write --lease-name=VALUE"],
    [["--lease-name=a", "--lease-name=b"], "--lease-name is given twice; give it once"],
  ])("refuses %j", (argv, message) => {
    expect(() => readProcessSettings(argv, {})).toThrow(message);
    expect(() => readProcessSettings(argv, {})).toThrow(SettingsError);
  });

  it("names the variable when the environment is wrong", () => {
    expect(() => readProcessSettings([], { LLMBRIDGE_HEALTH_PORT: "x" })).toThrow(
      'LLMBRIDGE_HEALTH_PORT is "x"',
    );
  });

  it("knows when help is wanted", () => {
    expect(wantsHelp(["--help"])).toBe(true);
    expect(wantsHelp(["--log-level=debug"])).toBe(false);
  });
});
