import { describe, expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { Informer, Refusal } from "../kube/informer.ts";
import type { DesiredObject, KubeObject } from "../kube/object.ts";
import { type Resource, resources } from "../kube/resources.ts";
import { ReadRefused, reportUnread, type Unread, unreadIn } from "./unread.ts";

const informer = (resource: Resource, refusal?: Refusal) =>
  ({ resource, refusal: () => refusal }) as Partial<Informer<KubeObject>> as Informer<KubeObject>;
const refused = (forMs: number): Refusal => ({ namespace: "ai", message: "pods is forbidden", forMs });

describe("what may not be read", () => {
  it("is none of it while it may only be too early", () => {
    const all = [informer(resources.services), informer(resources.pods, refused(9_999))];
    expect(unreadIn({ all }, "ai")).toBeUndefined();
  });

  it("is named whole", () => {
    const all = [informer(resources.services, refused(10_000)), informer(resources.pods, refused(20_000))];
    expect(unreadIn({ all }, "ai")).toMatchObject({ resources: ["services", "pods"], namespace: "ai" });
  });

  it("may be one object that was asked for", () => {
    const error = new ApiError("list pods ai", 403, { message: "pods is forbidden" });
    expect(new ReadRefused("list", resources.pods, "ai", error).unread).toEqual({
      ...{ verbs: "list", resources: ["pods"], namespace: "ai", message: "pods is forbidden" },
    });
  });
});

describe("a bridge that cannot be seen whole", () => {
  const unread: Unread = {
    ...{ verbs: "list and watch", resources: ["pods"], namespace: "ai", message: "pods is forbidden" },
  };
  const ready = {
    ...{ type: "Ready", status: "True", reason: "Serving", message: "It serves." },
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const metadata = { name: "chat", namespace: "ai", uid: "u", resourceVersion: "7", generation: 3 };
  const { signal } = new AbortController();
  const written: { conditions: readonly { type: string; status: string }[] }[] = [];
  const client = {
    async applyStatus(_: Resource, object: DesiredObject) {
      written.push((object as unknown as { status: (typeof written)[number] }).status);
      return object;
    },
  } as Partial<KubeClient> as KubeClient;
  const tell = (status: object, about = unread) =>
    reportUnread(client, { metadata, status } as KubeObject, { unread: about, nowMs: 0 }, signal);

  it("has two conditions written that say why, and nothing else", async () => {
    const plan = await tell({ phase: "Stable", conditions: [ready] });
    expect(written).toHaveLength(1);
    expect(written[0]?.conditions).toMatchObject([
      { type: "Progressing", status: "Unknown", reason: "CannotRead", observedGeneration: 3 },
      { type: "Stalled", status: "True", reason: "CannotRead", observedGeneration: 3 },
    ]);
    expect(Object.keys(written[0] ?? {})).toEqual(["conditions"]);
    expect(plan?.status.conditions[0]).toMatchObject({ type: "Ready", status: "True" });

    // What the server says last of it is no news.
    const said = { phase: "Stable", conditions: plan?.status.conditions };
    expect(await tell(said, { ...unread, message: "pods is still forbidden" })).toBeUndefined();
    expect(written).toHaveLength(1);
  });

  it.each([
    ["ai", "in this namespace"],
    ["", "in the whole cluster"],
  ])("tells which right is missing (%j), and repeats the API server's words", async (namespace, where) => {
    const plan = await tell({}, { ...unread, resources: ["services", "pods"], namespace });
    const message = plan?.status.conditions.find(({ type }) => type === "Stalled")?.message;
    expect(message).toContain(`give it list and watch on services, pods ${where}`);
    expect(message).toContain("The API server says: pods is forbidden");
  });
});
