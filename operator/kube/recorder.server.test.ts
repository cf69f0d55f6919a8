import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { createClient, type KubeClient } from "./client.ts";
import { FencedError } from "./errors.ts";
import { createKubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { createRecorder, type RecordedEvent } from "./recorder.ts";
import { resources } from "./resources.ts";
import { createVirtualClock } from "./virtual-clock.ts";

interface Event extends KubeObject {
  readonly note?: string;
  readonly reason?: string;
  readonly type?: string;
  readonly reportingController?: string;
  readonly series?: { readonly count: number };
}
let server: ApiServer;
let client: KubeClient;

beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport());
});
afterAll(async () => server?.down());

const about = (name: string, note = "Something happened."): RecordedEvent => ({
  regarding: {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", uid: `uid-${name}` },
  },
  type: "Warning",
  reason: "Tested",
  action: "Test",
  note,
});
const eventsAbout = async (name: string): Promise<readonly Event[]> =>
  (await client.list<Event>(resources.events, { namespace: "default" })).filter((event) =>
    event.metadata.name.startsWith(`${name}.`),
  );

function recorder(options: object = {}) {
  const clock = createVirtualClock(Date.now());
  const registry = new Registry();
  const metrics = createKubeMetrics(registry);
  const common = { client, controller: "example.com/test", instance: "test-0", clock, metrics };
  return { recorder: createRecorder({ ...common, ...options }), clock, registry };
}
const RECENT = 5_000;

describe("recorder", () => {
  it("writes an event that the server takes, readable through the core API as well", async () => {
    const { recorder: events } = recorder();
    events.record(about("plain"));
    await events.flush(RECENT);
    const [event] = await eventsAbout("plain");
    expect(event).toMatchObject({
      note: "Something happened.",
      reason: "Tested",
      type: "Warning",
      reportingController: "example.com/test",
    });
    const core = await client.list(resources.coreEvents, {
      namespace: "default",
      fieldSelector: "involvedObject.name=plain",
    });
    expect(core).toHaveLength(1);
  });

  it("makes a series of the same event, told at the second and then gathered", async () => {
    const { recorder: events, clock } = recorder();
    events.record(about("series"));
    events.record(about("series"));
    await clock.advance(1);
    for (let turn = 0; turn < 5; turn++) events.record(about("series"));
    await events.flush(RECENT);
    const found = await eventsAbout("series");
    expect(found).toHaveLength(1);
    expect(found[0]?.series?.count).toBe(7);
  });

  it("begins a new event after a long pause", async () => {
    const { recorder: events, clock } = recorder();
    events.record(about("paused"));
    await events.flush(RECENT);
    await clock.advance(400_000);
    expect(clock.pending).toBe(0);
    events.record(about("paused"));
    await events.flush(RECENT);
    expect(await eventsAbout("paused")).toHaveLength(2);
  });

  it("limits what one object may cause, and nobody else", async () => {
    const { recorder: events, clock, registry } = recorder({ burst: 3, refillMs: 60_000 });
    for (let turn = 0; turn < 10; turn++) events.record(about("noisy", `Note ${turn}.`));
    events.record(about("quiet"));
    await events.flush(RECENT);
    expect(await eventsAbout("noisy")).toHaveLength(3);
    expect(await eventsAbout("quiet")).toHaveLength(1);
    await clock.advance(60_000);
    events.record(about("noisy", "Later."));
    await events.flush(RECENT);
    expect(await eventsAbout("noisy")).toHaveLength(4);
    expect(await registry.getSingleMetricAsString("operator_events_total")).toContain('result="limited"} 7');
  });

  it("cuts notes at the server's limit", async () => {
    const { recorder: events } = recorder();
    events.record(about("long", "ü".repeat(2000)));
    await events.flush(RECENT);
    const [event] = await eventsAbout("long");
    expect(Buffer.byteLength(event?.note ?? "")).toBeLessThanOrEqual(1024);
    expect(event?.note?.endsWith("ü…")).toBe(true);
  });

  it("keeps an event while leadership is in doubt, and gives it up when the doubt does not end", async () => {
    let doubts = 2;
    const fence = () => {
      if (doubts-- > 0) throw new FencedError("leadership is in doubt");
      return new AbortController().signal;
    };
    const {
      recorder: events,
      clock,
      registry,
    } = recorder({ client: createClient(server.transport(), { fence }) });
    events.record(about("doubted"));
    await clock.advance(3_000);
    const results = () => registry.getSingleMetricAsString("operator_events_total");
    // Not only stored, but answered: until then the next one waits in the queue, and time that passes is not its own.
    await expect.poll(results).toContain('result="sent"} 1');
    expect(await eventsAbout("doubted")).toHaveLength(1);
    doubts = Number.POSITIVE_INFINITY;
    events.record(about("given-up"));
    await clock.advance(60_000);
    expect(await results()).toContain('result="failed"} 1');
  });

  it("survives refusals", async () => {
    const { recorder: events, registry } = recorder();
    const lost = about("lost");
    events.record({ ...lost, regarding: { metadata: { name: "lost", namespace: "nowhere", uid: "x" } } });
    events.record(about("after"));
    await events.flush(RECENT);
    expect(await eventsAbout("after")).toHaveLength(1);
    expect(await registry.getSingleMetricAsString("operator_events_total")).toContain('result="failed"} 1');
  });
});
