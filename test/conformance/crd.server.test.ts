import { describe, expect, it } from "vitest";
import { KINDS } from "../../operator/api/v1alpha1/kinds.ts";
import { RULES } from "../../operator/api/v1alpha1/rules/index.ts";
import type { SpecPatch } from "../../operator/api/v1alpha1/rules/rule.ts";
import { llmBridgeSpec } from "../../operator/api/v1alpha1/spec.ts";
import { type Issue, lintManifest } from "../../operator/api/v1alpha1/validate.ts";
import type { Refusal } from "./bridge-api.ts";
import { bridgeOf, patched, smallestBridge } from "./bridge-objects.ts";
import { bridgeServer } from "./bridge-server.ts";
import { WRONG_TEXTS } from "./wrong-texts.ts";

const running = bridgeServer();

/** The server puts the kind of error and the refused value before our sentence. */
function sameSentences(refused: readonly Refusal[], issues: readonly Issue[]): void {
  expect(refused.map(({ field }) => field).sort()).toEqual(issues.map(({ path }) => path).sort());
  for (const { path, message } of issues) {
    const said = refused.filter(({ field }) => field === path).map((refusal) => refusal.message);
    expect(
      said.some((text) => text.endsWith(`: ${message}`)),
      `${said.join(" | ")}\nbut locally: ${message}`,
    ).toBe(true);
  }
}

describe.each(RULES.map((rule) => [rule.id, rule] as const))("rule %s", (id, rule) => {
  it("accepts its accepted case", async () => {
    const { before } = rule.accepted;
    if (before) return acceptsChange(before, rule.accepted.spec ?? {});
    const bridge = bridgeOf(rule.accepted, id);
    expect(await running.api.create(bridge)).toEqual([]);
    expect(lintManifest(bridge)).toEqual([]);
  });

  it("refuses its refused case in the words that lint uses", async () => {
    const { before } = rule.refused;
    const name = rule.refused.name ?? id.slice(0, 30);
    const bridge = bridgeOf(rule.refused, name);
    if (before) await running.api.create(bridgeOf({ spec: before }, name), { keep: true });
    const refused = before
      ? await running.api.patch(name, { spec: rule.refused.spec })
      : await running.api.create(bridge);
    if (before) await running.api.remove(name);
    const stored = before && llmBridgeSpec.parse(patched(smallestBridge(name).spec, before));
    expect(refused.map(({ message }) => message).join("\n")).toContain(rule.expect);
    sameSentences(refused, lintManifest(bridge, stored));
  });

  async function acceptsChange(before: SpecPatch, change: SpecPatch): Promise<void> {
    const name = id.slice(0, 30);
    await running.api.create(bridgeOf({ spec: before }, name), { keep: true });
    try {
      expect(await running.api.patch(name, { spec: change })).toEqual([]);
    } finally {
      await running.api.remove(name);
    }
  }
});

describe("replicas in mode Managed", () => {
  it("may be taken out of a manifest again, which leaves the default", async () => {
    await running.api.create(bridgeOf({ spec: { replicas: 5 } }, "without"), { keep: true });
    try {
      expect(await running.api.patch("without", { spec: { replicas: null } })).toEqual([]);
    } finally {
      await running.api.remove("without");
    }
  });
});

describe("kinds of text", () => {
  it.each(WRONG_TEXTS)("%s refuses %j with what to write", async (kind, text, spec) => {
    const bridge = bridgeOf({ spec }, "kinds");
    const refused = await running.api.create(bridge);
    const ours = refused.filter(({ message }) => message.endsWith(`: "${text}" ${KINDS[kind].remedy}`));
    expect(ours, JSON.stringify(refused)).toHaveLength(1);
    const local = lintManifest(bridge).find(({ path }) => path === ours[0]?.field);
    expect(local?.message).toBe(`"${text}" ${KINDS[kind].remedy}`);
  });

  it("tries a wrong text of every kind", () => {
    expect(new Set(WRONG_TEXTS.map(([kind]) => kind))).toEqual(new Set(Object.keys(KINDS)));
  });
});

describe("NODE_OPTIONS in pod.env", () => {
  const lines = [
    "--max-old-space-size=450 --gc-interval=100 --optimize-for-size",
    "--expose-gc --max_old_space_size=450  --optimize_for_size",
    "-r ./hook.js --import=data:text/javascript,0 --inspect=0.0.0.0:9229 --openssl-config=/x",
    "--max-semi-space-size --stack-trace-limit=50 --dns-result-order=ipv4first --no-such-flag=1",
    Array.from({ length: 24 }, (_, i) => `--flag-${i}`).join(" "),
    "",
  ];

  it.each(lines)("says the same of each flag here and there: %s", async (value) => {
    const bridge = bridgeOf({ spec: { pod: { env: [{ name: "NODE_OPTIONS", value }] } } }, "options");
    sameSentences(await running.api.create(bridge), lintManifest(bridge));
  });

  it("names the typed field or the reason for every flag of the usual line", async () => {
    const env = [{ name: "NODE_OPTIONS", value: `${lines[0]} --expose-gc` }];
    const [refusal] = await running.api.create(bridgeOf({ spec: { pod: { env } } }, "options"));
    for (const part of [
      "--max-old-space-size: write spec.tuning.nodeOptions.maxOldSpaceMiB: 450.",
      "--gc-interval=100: Node refuses it in NODE_OPTIONS and the process exits with 9",
      "--optimize-for-size: Node refuses it in NODE_OPTIONS and the process exits with 9",
      "--expose-gc: nothing in the bridge calls gc()",
    ]) {
      expect(refusal?.message).toContain(part);
    }
  });
});

describe("the server's own words", () => {
  it("refuses an unknown field under strict validation", async () => {
    const [refusal] = await running.api.create(
      bridgeOf({ spec: { rollout: { step: [] } } } as never, "typo"),
    );
    expect(refusal?.message).toContain('unknown field "spec.rollout.step"');
  });

  it("refuses a word that YAML read as a boolean", async () => {
    const refused = await running.api.create(bridgeOf({ spec: { imagePullPolicy: false } }, "off"));
    expect(refused[0]).toMatchObject({ field: "spec.imagePullPolicy" });
  });

  it("refuses two entries of one name", async () => {
    const steps = [
      { name: "all", weight: 10 },
      { name: "all", weight: 100 },
    ];
    const refused = await running.api.create(bridgeOf({ spec: { rollout: { steps } } }, "twice"));
    expect(refused.map(({ field }) => field)).toContain("spec.rollout.steps[1]");
    expect(
      lintManifest(bridgeOf({ spec: { rollout: { steps } } }, "twice")).map(({ path }) => path),
    ).toContain("spec.rollout.steps[1]");
  });
});

describe("subresources", () => {
  it("refuses to scale a bridge whose replicas the operator manages", async () => {
    await running.api.create(smallestBridge("managed"), { keep: true });
    const refused = await running.api.patch("managed", { spec: { replicas: 7 } }, "scale");
    await running.api.remove("managed");
    expect(refused.map(({ message }) => message).join()).toContain("replicas is not read in mode Managed");
  });

  it("scales a bridge in mode External", async () => {
    const bridge = bridgeOf({ spec: { scaling: { mode: "External" } } }, "external");
    await running.api.create(bridge, { keep: true });
    const refused = await running.api.patch("external", { spec: { replicas: 7 } }, "scale");
    await running.api.remove("external");
    expect(refused).toEqual([]);
  });
});

it("fills in the defaults that the types promise", async () => {
  await running.api.create(smallestBridge("defaults"), { keep: true });
  const stored = (await running.api.request(
    "GET",
    "/apis/llmbridge.dev/v1alpha1/namespaces/default/llmbridges/defaults",
  )) as {
    spec: unknown;
  };
  await running.api.remove("defaults");
  expect(stored.spec).toEqual(llmBridgeSpec.parse(smallestBridge("defaults").spec));
});
