import { describe, expect, it } from "vitest";
import { FAULT_DOMAINS, METRICS, ROUTE_LABELS } from "../../contract/metrics.ts";
import { createMetrics, declarePool } from "./registry.ts";

describe("createMetrics", () => {
  it("has a property for every metric of the contract, under its name", async () => {
    const metrics = createMetrics({ bridge: "chat", revision: "abc" });
    for (const [property, name] of Object.entries(METRICS)) {
      expect(metrics).toHaveProperty(property);
      expect(metrics.registry.getSingleMetric(name)).toBe(metrics[property as keyof typeof METRICS]);
    }
  });

  it("exports every error series at 0 from the start, with bridge and revision", async () => {
    const text = await createMetrics({ bridge: "chat", revision: "abc" }).registry.metrics();
    for (const route of ROUTE_LABELS) {
      for (const domain of FAULT_DOMAINS) {
        expect(text).toContain(
          `${METRICS.errors}{route="${route}",domain="${domain}",bridge="chat",revision="abc"} 0`,
        );
      }
    }
    expect(text).toContain(
      `${METRICS.cutConnections}{reason="drain-deadline",bridge="chat",revision="abc"} 0`,
    );
    expect(text).toContain(
      `${METRICS.gcSeconds}{isolate="main",kind="major",bridge="chat",revision="abc"} 0`,
    );
  });

  it("makes the series of a pool exist when it is declared", async () => {
    const metrics = createMetrics({ bridge: "chat", revision: "abc" });
    declarePool(metrics, "postgres");
    const text = await metrics.registry.metrics();
    expect(text).toContain(`${METRICS.poolWaiting}{pool="postgres",bridge="chat",revision="abc"} 0`);
    expect(text).toContain(
      `${METRICS.poolAcquires}{pool="postgres",result="miss",bridge="chat",revision="abc"} 0`,
    );
  });
});
