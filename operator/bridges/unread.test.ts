import { beforeEach, describe, expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import type { Informer, Refusal } from "../kube/informer.ts";
import type { DesiredObject, KubeObject } from "../kube/object.ts";
import { type Resource, resources } from "../kube/resources.ts";
import { createUnreadReports, ReadRefused, type Unread, unreadIn } from "./unread.ts";

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
  let bridges = informer(resources.services);
  let reports = createUnreadReports({ refusal: (namespace) => bridges.refusal(namespace) });
  beforeEach(() => {
    written.length = 0;
    bridges = informer(resources.services);
    reports = createUnreadReports({ refusal: (namespace) => bridges.refusal(namespace) });
  });
  const tell = (status: object, about = unread, of: Partial<KubeObject["metadata"]> = {}) =>
    reports.report(
      client,
      { metadata: { ...metadata, ...of }, status } as KubeObject,
      { unread: about, nowMs: 0 },
      signal,
    );

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

  it("is not told again on a version that its cache shows no more, where bridges may not be read either", async () => {
    bridges = informer(resources.services, refused(20_000));
    for (let i = 0; i < 10; i++) await tell({});
    expect(written).toHaveLength(1);
    await tell({}, unread, { generation: 4 });
    await tell({}, unread, { uid: "another", generation: 4 });
    expect(written).toHaveLength(3);
    // In between it was seen whole, and its conditions said something else.
    reports.forget({ namespace: "ai", name: "chat" });
    await tell({}, unread, { uid: "another", generation: 4 });
    expect(written).toHaveLength(4);
    // Its cache goes on: what that shows holds.
    bridges = informer(resources.services);
    await tell({}, unread, { uid: "another", generation: 4 });
    expect(written).toHaveLength(5);
  });

  it("is told again where the write failed", async () => {
    bridges = informer(resources.services, refused(20_000));
    const { applyStatus } = client;
    client.applyStatus = () => Promise.reject(new ApiError("patch llmbridges/status", 409, {}));
    await expect(tell({})).rejects.toMatchObject({ code: 409 });
    client.applyStatus = applyStatus;
    expect(await tell({})).toBeDefined();
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
