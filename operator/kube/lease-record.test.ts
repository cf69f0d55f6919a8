import { describe, expect, it } from "vitest";
import { type Lease, microTime, observe, waitBeforeTakingMs } from "./lease-record.ts";

const lease = (resourceVersion: string, holderIdentity: string, renewTime = microTime(0)): Lease => ({
  metadata: { name: "l", namespace: "n", uid: "u", resourceVersion },
  spec: { holderIdentity, leaseDurationSeconds: 15, renewTime },
});

describe("waiting for a lease", () => {
  it("lasts a full duration from the moment a record was first seen, whatever its times say", () => {
    const ancient = observe(undefined, lease("1", "other", "1999-01-01T00:00:00.000000Z"), 1_000);
    expect(waitBeforeTakingMs(ancient, "me", 1_000)).toBe(15_000);
    const same = observe(ancient, lease("1", "other"), 9_000);
    expect(waitBeforeTakingMs(same, "me", 9_000)).toBe(7_000);
    expect(waitBeforeTakingMs(same, "me", 16_000)).toBe(0);
  });

  it("starts anew with every change of the record", () => {
    const first = observe(undefined, lease("1", "other"), 0);
    const renewed = observe(first, lease("2", "other"), 14_000);
    expect(waitBeforeTakingMs(renewed, "me", 14_000)).toBe(15_000);
  });

  it("is not needed for a released lease, nor for one's own", () => {
    expect(waitBeforeTakingMs(observe(undefined, lease("1", ""), 0), "me", 0)).toBe(0);
    expect(waitBeforeTakingMs(observe(undefined, lease("1", "me"), 0), "me", 0)).toBe(0);
  });
});

describe("microTime", () => {
  it("has six digits of fraction", () => {
    expect(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6))).toBe("2026-01-02T03:04:05.006000Z");
  });
});
