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
      labels: { namespace: "kube_namespace", pod: "kube_pod" },
      scrapeInterval: "30s",
    };
    expect(parseAdministratorSettings(JSON.stringify({ sources: [given] })).sources).toEqual([given]);
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

  const wrong = (fields: object): string =>
    JSON.stringify({ sources: [{ name: "a", url: "http://a", ...fields }] });
  it.each([
    ["a: [", "not valid YAML"],
    ["sources: []\nsources: []", "not valid YAML"],
    ["source: []", 'Unrecognized key: "source"'],
    [wrong({ url: "ftp://a" }), "sources[0].url: The URL of a metric source must be http:// or https://"],
    [wrong({ url: "http://user:secret@a" }), "sources[0].url: The URL of a metric source"],
    [wrong({ name: "Big" }), "sources[0].name: must be 1 to 63 lower-case letters, digits and dashes"],
    [wrong({ name: true }), "sources[0].name: give a name in quotes"],
    [
      wrong({ allowedNamespaces: ["a*"] }),
      'sources[0].allowedNamespaces[0]: must be the name of a namespace, or "*"',
    ],
    [wrong({ bearerTokenFile: "token" }), "sources[0].bearerTokenFile: must be an absolute path"],
    [wrong({ labels: { pod: "a-b" } }), "sources[0].labels.pod: must be a Prometheus label name"],
    [wrong({ uri: "http://b" }), 'sources[0]: Unrecognized key: "uri"'],
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
