import { describe, expect, it } from "vitest";
import { bridgeView } from "./bridge-view.ts";
import { SAMPLE_STORED } from "./testing/sample-bridge.ts";

const withStatus = (change: object) => bridgeView({ ...SAMPLE_STORED, status: change } as never);

describe("bridgeView", () => {
  it("reads all of what this version knows", () => {
    expect(bridgeView(SAMPLE_STORED)).toMatchObject({
      ...{ seen: true, unread: [], status: { phase: "Holding", step: { name: "tenth" } } },
      spec: { image: "registry.example/bridge:1.5.0", rollout: { paused: false } },
    });
  });

  it("tells a bridge that no operator has seen from one with a status", () => {
    const { status: _, ...fresh } = SAMPLE_STORED as typeof SAMPLE_STORED & { status: unknown };
    expect(bridgeView(fresh)).toMatchObject({ seen: false, unread: [], status: {} });
    expect(withStatus({})).toMatchObject({ seen: false });
  });

  it("keeps what it can read of a newer operator's status, and names the rest", () => {
    const view = withStatus({
      ...{ phase: "Baking", replicas: 3, tomorrow: { a: 1 }, stable: "7c9f21" },
      verdicts: [
        { signal: "errors", category: "Marvellous", message: "" },
        { signal: "gc", category: "Passed", message: "Below 5%." },
      ],
    });
    expect(view.status).toMatchObject({ phase: "Baking", replicas: 3, verdicts: [{ signal: "gc" }] });
    expect(view.status.stable).toBeUndefined();
    expect(view.unread).toEqual(["status.phase", "status.stable", "status.verdicts"]);
  });

  it("passes over fields of a newer spec, and shows the default plan where it cannot read the plan", () => {
    const spec = (SAMPLE_STORED as unknown as { spec: { rollout: object } }).spec;
    const newer = { ...spec, tomorrow: 1, rollout: { ...spec.rollout, tomorrow: 1 } };
    expect(bridgeView({ ...SAMPLE_STORED, spec: newer } as never)).toMatchObject({
      ...{ unread: [], spec: { rollout: { steps: [{ name: "tenth" }, {}, {}] } } },
    });
    const odd = bridgeView({ ...SAMPLE_STORED, spec: { image: 1, rollout: { steps: "all" } } } as never);
    expect(odd).toMatchObject({ unread: ["spec.image", "spec.rollout"], spec: { image: "" } });
  });

  it("reads that a bridge is paused, whatever else of its rollout is newer", () => {
    const paused = { image: "i:1", rollout: { strategy: "Tomorrow", paused: true } };
    expect(bridgeView({ ...SAMPLE_STORED, spec: paused } as never)).toMatchObject({
      ...{ unread: ["spec.rollout"], spec: { rollout: { paused: true } } },
    });
  });

  it.each([null, [], "x", { status: 7 }])("throws for no status: %j", (status) => {
    expect(() => withStatus(status as never)).not.toThrow();
  });
});
