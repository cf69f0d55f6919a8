import { describe, expect, it } from "vitest";
import { createCircuit } from "./circuit.ts";

function circuitAt(clock: { ms: number }) {
  return createCircuit({ threshold: 3, restMs: 100, maxRestMs: 300, now: () => clock.ms, random: () => 0.5 });
}

function fail(circuit: ReturnType<typeof createCircuit>, times: number): void {
  for (let i = 0; i < times; i++) {
    expect(circuit.allows()).toBe(true);
    circuit.failure();
  }
}

describe("createCircuit", () => {
  it("opens after the threshold of failures in a row", () => {
    const circuit = circuitAt({ ms: 0 });
    fail(circuit, 2);
    circuit.success();
    fail(circuit, 3);
    expect(circuit.allows()).toBe(false);
    expect(circuit.open).toBe(true);
  });

  it("lets one probe through after the rest, and closes when it succeeds", () => {
    const clock = { ms: 0 };
    const circuit = circuitAt(clock);
    fail(circuit, 3);
    clock.ms = 99;
    expect(circuit.allows()).toBe(false);
    clock.ms = 100;
    expect(circuit.allows()).toBe(true);
    expect(circuit.allows()).toBe(false);
    circuit.success();
    expect(circuit.allows()).toBe(true);
  });

  it("doubles the rest with every failed probe, up to the longest", () => {
    const clock = { ms: 0 };
    const circuit = circuitAt(clock);
    fail(circuit, 3);
    for (const restMs of [100, 200, 300, 300]) {
      clock.ms += restMs - 1;
      expect(circuit.allows()).toBe(false);
      clock.ms += 1;
      expect(circuit.allows()).toBe(true);
      circuit.failure();
    }
  });

  it("does not lengthen the rest for answers to calls made before it opened", () => {
    const clock = { ms: 0 };
    const circuit = circuitAt(clock);
    fail(circuit, 3);
    clock.ms = 90;
    circuit.failure();
    clock.ms = 100;
    expect(circuit.allows()).toBe(true);
  });
});
