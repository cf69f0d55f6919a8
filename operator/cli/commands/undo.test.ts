import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { revisionHash } from "../../bridges/revision.ts";
import type { DeploymentView } from "../family.ts";
import { sampleBridge } from "../testing/sample-bridge.ts";
import { targetOf, whyNotTrusted } from "./undo.ts";

const spec = llmBridgeSpec.parse({
  image: "registry.example/bridge:1.5.0",
  upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
});
const asked = revisionHash(spec);
const deployment = (revision: string): DeploymentView => ({
  ...{ name: `chat-${revision}`, revision, image: "i:1", renderer: "0", track: "retired" },
  ...{ created: "2026-11-21T09:00:00Z", replicas: 0, ready: 0, refusal: undefined },
  ...{ ending: undefined, retiredAt: undefined },
});
const all = [asked, "7c9f21", "d04be8"].map(deployment);
const bridge = (rollout: object) =>
  sampleBridge({
    status: {
      ...{ phase: "Stable", canary: undefined, step: undefined },
      rollout: { phase: "Stable", phaseSince: "2026-11-21T09:00:00Z", ...rollout },
    },
  });

describe("what undo goes back to", () => {
  it("is the version that was stable before, the newest that is still there", () => {
    const at = bridge({ stableRevision: asked, served: ["gone01", "7c9f21", "d04be8"] });
    expect(targetOf(at, all, asked, undefined).revision).toBe("7c9f21");
  });

  it("is the stable version where the spec asks for another one", () => {
    const at = bridge({ stableRevision: "d04be8", served: ["7c9f21"] });
    expect(targetOf(at, all, asked, undefined).revision).toBe("d04be8");
  });

  it("is the one that a person names", () => {
    expect(targetOf(bridge({ stableRevision: asked }), all, asked, "d04").revision).toBe("d04be8");
  });

  it.each([
    [undefined, "has no version that was stable before"],
    [asked, "asks for revision"],
    ["zzz", "has no revision zzz"],
  ])("is nothing for %s", (word, message) => {
    expect(() => targetOf(bridge({ stableRevision: asked }), all, asked, word)).toThrow(message);
  });
});

describe("what undo warns of", () => {
  const at = bridge({ stableRevision: asked });
  const [, target] = all as [DeploymentView, DeploymentView];
  const retiredAt = "2026-11-21T09:00:00.123Z";

  it("is a revision that was rolled back, with when and why", () => {
    const because = "ErrorsProvedWorse: errors +5pp";
    expect(whyNotTrusted({ ...target, retiredAt, ending: { outcome: "RolledBack", because } }, at)).toBe(
      "revision 7c9f21 was rolled back at 2026-11-21T09:00:00Z: ErrorsProvedWorse: errors +5pp.",
    );
  });

  it.each(["WasStable", "Withdrawn"] as const)("is nothing for one that is %s", (outcome) => {
    expect(whyNotTrusted({ ...target, ending: { outcome, because: "m" } }, at)).toBeUndefined();
    expect(whyNotTrusted(target, at)).toBeUndefined();
  });
});
