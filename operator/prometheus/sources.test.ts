import { afterAll, describe, expect, it } from "vitest";
import { createSources } from "./sources.ts";

const sources = createSources([
  { name: "default", url: "http://prometheus.monitoring.svc:9090" },
  { name: "team", url: "http://prometheus.team.svc:9090", allowedNamespaces: ["team"] },
]);
afterAll(() => sources.close());

describe("find", () => {
  it("gives a source to the namespaces that may use it", () => {
    expect(sources.find("default", "any")).toMatchObject({ kind: "ok", value: { name: "default" } });
    expect(sources.find("team", "team")).toMatchObject({ kind: "ok", value: { name: "team" } });
  });

  it("says what to ask the administrator for", () => {
    expect(sources.find("mine", "any")).toEqual({
      kind: "failing",
      reason: "NoSuchSource",
      message:
        'spec.metrics.source "mine" is not in the operator\'s settings; ask the administrator for a source of that name.',
    });
    expect(sources.find("team", "other")).toEqual({
      kind: "failing",
      reason: "NotAllowed",
      message:
        'spec.metrics.source "team" is not open to this namespace; ask the administrator to add it to allowedNamespaces.',
    });
  });

  it("refuses settings that cannot work", () => {
    expect(() => createSources([{ name: "bad", url: "ftp://x" }])).toThrow("must be http:// or https://");
  });
});
