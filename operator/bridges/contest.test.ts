import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../kube/virtual-clock.ts";
import { Contested, type ContestsOptions, createContests } from "./contest.ts";
import type { Write } from "./plan.ts";

const capacity = (replicas: number, uid = "u"): Write => ({
  kind: "Capacity",
  name: "chat-1",
  uid,
  resourceVersion: String(Math.random()),
  replicas,
  track: "production",
  retiredAt: undefined,
  ending: undefined,
});

function fight(options: Partial<ContestsOptions> = {}) {
  const clock = createVirtualClock();
  const contests = createContests({ clock, ...options });
  const write = (one: Write) => {
    contests.permit(one);
    contests.note(one);
  };
  return { clock, write };
}

describe("a write that says what the last one said", () => {
  it("is let through three times a minute, and again when the minute has passed", async () => {
    const { clock, write } = fight();
    for (let i = 0; i < 3; i++) write(capacity(2));
    expect(() => write(capacity(2))).toThrow(Contested);
    expect(() => write(capacity(2))).toThrow(/deployments "chat-1".*--show-managed-fields/);
    await clock.advance(60_000);
    write(capacity(2));
  });

  it("counts only what was carried out", () => {
    const contests = createContests({ clock: createVirtualClock() });
    for (let i = 0; i < 10; i++) contests.permit(capacity(2));
  });

  it("is no fight when something else was wanted between, or when the child is another of the same name", () => {
    const { write } = fight();
    for (let i = 0; i < 10; i++) write(capacity(2 + (i % 2)));
    for (let i = 0; i < 10; i++) write(capacity(2, `u${i}`));
  });

  it("is one that makes a child again, where that is asked for", async () => {
    const metadata = { name: "chat", namespace: "ai" };
    const object = { apiVersion: "monitoring.coreos.com/v1", kind: "PodMonitor", metadata };
    const creation: Write = { kind: "Create", resource: "podmonitors", object };
    const { write: always } = fight();
    for (let i = 0; i < 10; i++) always(creation);
    const { clock, write } = fight({ creations: true });
    for (let i = 0; i < 3; i++) {
      write(creation);
      write({ ...creation, kind: "Update", uid: `u${i}`, resourceVersion: "1" });
    }
    expect(() => write(creation)).toThrow(/podmonitors "chat"/);
    await clock.advance(60_000);
    write(creation);
  });
});
