import { describe, expect, it } from "vitest";
import { parseAdministratorSettings } from "./file.ts";
import { SettingsError } from "./problem.ts";

describe("parseAdministratorSettings", () => {
  it("fills in defaults", () => {
    const settings = parseAdministratorSettings("sources: [{name: default, url: 'http://prometheus:9090'}]");
    expect(settings.sources).toEqual([
      {
        name: "default",
        scrapeInterval: "15s",
        url: "http://prometheus:9090",
        allowedNamespaces: ["*"],
        labels: { namespace: "namespace", pod: "pod" },
        lag: "1s",
      },
    ]);
  });

  it.each(["", "# nothing\n", "{}", "sources: []"])("takes %j for no sources", (text) => {
    expect(parseAdministratorSettings(text).sources).toEqual([]);
  });

  it("keeps what is given", () => {
    const given = {
      name: "team",
      url: "https://metrics.example/prometheus",
      allowedNamespaces: ["ai", "ml"],
      bearerTokenFile: "/var/run/token",
      tls: {
        caFile: "/var/run/ca.crt",
        certFile: "/var/run/tls.crt",
        keyFile: "/var/run/tls.key",
        serverName: "metrics.example",
      },
      tenant: "platform|ai",
      headers: { "X-Team": "llm" },
      headerFiles: { "X-Api-Key": "/var/run/key" },
      parameters: { dedup: "true", "replicaLabels[]": ["replica", "prometheus_replica"] },
      matchers: { cluster: "west", region: "" },
      labels: { namespace: "kube_namespace", pod: "kube_pod" },
      scrapeInterval: "30s",
      lag: "2m",
    };
    expect(parseAdministratorSettings(JSON.stringify({ sources: [given] })).sources).toEqual([given]);
  });

  it("takes analyses with the fields and the rules of a bridge's own", () => {
    const { analyses, defaultAnalysis } = parseAdministratorSettings(
      "analyses: [{name: strict, errors: {rollbackAbove: 0.05%, promoteBelow: 0.2%}}]\ndefaultAnalysis: strict",
    );
    expect(analyses).toMatchObject([
      {
        name: "strict",
        errors: { rollbackAbove: "0.05%", promoteBelow: "0.2%" },
        falseRollback: "1%",
        gates: [],
      },
    ]);
    expect(defaultAnalysis).toBe("strict");
  });

  it.each([
    ["analyses: [{name: a, errors: {rollbackAbove: 2%}}]", "rollbackAbove 2% is not below promoteBelow 1%"],
    ["analyses: [{name: a, gates: [{name: g, metric: CpuShare}]}]", "gate g compares nothing"],
    [
      "analyses: [{name: a, gates: [{name: g, metric: CpuShare, below: 9%}, {name: g, metric: GcTimeShare, below: 9%}]}]",
      'there is another gate named "g"',
    ],
    ["analyses: [{name: a}, {name: a}]", 'there is another analysis named "a"'],
    ["analyses: [{name: built-in}]", "every field at its default"],
    ["analyses: [{name: a, from: b}]", "from"],
    ["defaultAnalysis: a", 'there is no analysis named "a" in analyses'],
  ])("refuses of analyses %s", (text, rule) => {
    expect(() => parseAdministratorSettings(text)).toThrow(rule);
  });

  it("takes PodMonitors for not wanted unless it is told of them", () => {
    expect(parseAdministratorSettings("sources: []").podMonitors).toBeUndefined();
    expect(parseAdministratorSettings("podMonitors: {}").podMonitors).toEqual({
      labels: {},
      interval: "15s",
    });
    const given = { labels: { release: "prometheus", "example.com/team": "" }, interval: "1m" };
    expect(parseAdministratorSettings(JSON.stringify({ podMonitors: given })).podMonitors).toEqual(given);
  });

  it.each([
    ["a: [", "not valid YAML"],
    ["sources: []\nsources: []", "not valid YAML"],
    ["source: []", 'Unrecognized key: "source"'],
    ["podMonitors: {interval: fast}", "podMonitors.interval: must be a number of seconds or minutes"],
    ["podMonitors: {labels: {a: true}}", "podMonitors.labels.a: give the value of a label in quotes"],
    ["podMonitors: {labels: {a: b c}}", "podMonitors.labels.a: must be a value that labels may have"],
    ["podMonitors: {labels: {a b: c}}", "must be a label of Kubernetes"],
    ["podMonitors: {labels: {llmbridge.dev/bridge: c}}", "labels of app.kubernetes.io and llmbridge.dev are"],
    ["podMonitors: {label: {}}", 'podMonitors: Unrecognized key: "label"'],
    [
      "sources: [{name: a, url: 'http://a'}, {name: a, url: 'http://b'}]",
      'sources[1].name: there is another source named "a"; names must differ',
    ],
  ])("refuses %j", (text, message) => {
    expect(() => parseAdministratorSettings(text)).toThrow(message);
    expect(() => parseAdministratorSettings(text)).toThrow(SettingsError);
  });
});
