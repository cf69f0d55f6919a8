import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiServer, startApiServer } from "../../test/kube/api-server.ts";
import { type CuttableTransport, cuttable } from "../../test/kube/cut.ts";
import { until } from "../../test/kube/until.ts";
import { createClient, type KubeClient } from "./client.ts";
import { FencedError, isInvalid } from "./errors.ts";
import { createElection, type Election, type ElectionEnd } from "./lease.ts";
import { type Lease, microTime } from "./lease-record.ts";
import { resources } from "./resources.ts";
import type { Transport } from "./transport.ts";

const namespace = "default";
let server: ApiServer;
let client: KubeClient;

beforeAll(async () => {
  server = await startApiServer();
  client = createClient(server.transport(), { lane: "lease" });
});
afterAll(async () => server?.down());

interface Candidate {
  readonly election: Election;
  readonly line: CuttableTransport;
  readonly events: string[];
  readonly shutdown: AbortController;
  readonly end: Promise<ElectionEnd>;
}

function candidate(name: string, identity: string, timing: object = {}): Candidate {
  const line = cuttable(server.transport());
  const events: string[] = [];
  const shutdown = new AbortController();
  const election = createElection({
    client: createClient(line, { lane: "lease" }),
    namespace,
    name,
    identity,
    leaseDurationMs: 2000,
    renewIntervalMs: 300,
    renewDeadlineMs: 1000,
    retryMs: 100,
    ...timing,
  });
  const end = election.run(shutdown.signal, {
    onStarted: () => void events.push("started"),
    onStopped: () => void events.push("stopped"),
  });
  return { election, line, events, shutdown, end };
}

const lease = (name: string): Promise<Lease> => client.get<Lease>(resources.leases, namespace, name);

describe("micro times", () => {
  it("are accepted by the API server, and milliseconds are not", async () => {
    const body = (renewTime: string) => ({ metadata: { name: "times", namespace }, spec: { renewTime } });
    const now = Date.UTC(2026, 10, 21, 12, 0, 0, 7);
    await expect(client.create(resources.leases, body(new Date(now).toISOString()))).rejects.toSatisfy(
      isInvalid,
    );
    const stored = await client.create<Lease>(resources.leases, body(microTime(now)));
    expect(stored.spec?.renewTime).toBe("2026-11-21T12:00:00.007000Z");
  });
});

describe("election", () => {
  it("makes one leader of two, and hands over by release", async () => {
    const first = candidate("handover", "first");
    await until("the first leader", () => first.election.isLeader());
    const second = candidate("handover", "second");
    const transitions = (await lease("handover")).spec?.leaseTransitions;
    await until("some renewals", async () => {
      const { spec } = await lease("handover");
      return spec?.holderIdentity === "first" && spec.renewTime !== spec.acquireTime;
    });
    expect(second.events).toEqual([]);
    expect(() => second.election.fence()).toThrow(FencedError);

    first.shutdown.abort();
    await until("the second leader", () => second.election.isLeader());
    expect(await first.end).toBe("released");
    expect(first.events).toEqual(["started", "stopped"]);
    expect(() => first.election.fence()).toThrow(FencedError);
    const after = (await lease("handover")).spec;
    expect(after).toMatchObject({ holderIdentity: "second", leaseDurationSeconds: 2 });
    expect(after?.leaseTransitions).toBe((transitions ?? 0) + 1);
    second.shutdown.abort();
    expect(await second.end).toBe("released");
  });

  it("lets another take over after a full lease when the leader is cut off, which has stopped writing before", async () => {
    const first = candidate("cut", "first");
    await until("the first leader", () => first.election.isLeader());
    const second = candidate("cut", "second");
    const permission = first.election.fence();
    first.line.cut();
    const from = performance.now();
    await until("the end of permission", () => permission.aborted);
    expect(() => first.election.fence()).toThrow(FencedError);
    expect(second.election.isLeader()).toBe(false);
    await until("the second leader", () => second.election.isLeader());
    expect(performance.now() - from).toBeGreaterThan(1600);
    expect(await first.end).toBe("lost");
    second.shutdown.abort();
    await second.end;
  });

  it("never lets two candidates that start together both lead", async () => {
    const all = ["a", "b", "c"].map((identity) => candidate("together", identity));
    await until("a leader", () => all.some((one) => one.election.isLeader()));
    await until("a renewal", async () => {
      const { spec } = await lease("together");
      return spec?.renewTime !== spec?.acquireTime;
    });
    expect(all.filter((one) => one.election.isLeader())).toHaveLength(1);
    for (const one of all) one.shutdown.abort();
    const ends = await Promise.all(all.map((one) => one.end));
    expect(ends.filter((end) => end === "released")).toHaveLength(1);
  });

  it("takes the loss at once when somebody else writes the lease", async () => {
    const first = candidate("usurped", "first");
    await until("the leader", () => first.election.isLeader());
    const permission = first.election.fence();
    await client.mergePatch(resources.leases, namespace, "usurped", { spec: { holderIdentity: "somebody" } });
    expect(await first.end).toBe("lost");
    expect(permission.aborted).toBe(true);
  });

  it("asks instead of watching where it may not watch", async () => {
    const first = candidate("unwatched", "first");
    await until("the first leader", () => first.election.isLeader());
    const transport = server.transport();
    const refuse = () => Promise.reject(new Error("not allowed"));
    const unwatching: Transport = {
      ...transport,
      open: refuse,
      send: (request) => (request.verb === "list" ? refuse() : transport.send(request)),
    };
    const shutdown = new AbortController();
    const second = createElection({
      ...{ client: createClient(unwatching), namespace, name: "unwatched", identity: "second" },
      retryMs: 100,
    });
    const end = second.run(shutdown.signal, { onStarted: () => {}, onStopped: () => {} });
    first.shutdown.abort();
    await first.end;
    await until("the second leader", () => second.isLeader(), 2000);
    shutdown.abort();
    await end;
  });

  it("stops a fenced client's write before it leaves", async () => {
    const one = candidate("fenced", "one");
    await until("the leader", () => one.election.isLeader());
    const fenced = createClient(server.transport(), { fence: one.election.fence });
    const write = (value: string) =>
      fenced.mergePatch(resources.namespaces, "", namespace, { metadata: { annotations: { value } } });
    await write("leading");
    one.shutdown.abort();
    await one.end;
    await expect(write("after")).rejects.toBeInstanceOf(FencedError);
    const stored = await client.get(resources.namespaces, "", namespace);
    expect(stored.metadata.annotations?.value).toBe("leading");
  });

  it("permits the last writes of work that ends in order, and releases only then", async () => {
    const shutdown = new AbortController();
    const election = createElection({ client, namespace, name: "ordered", identity: "x" });
    const fenced = createClient(server.transport(), { fence: election.fence });
    let holderAtLastWrite: string | undefined;
    const end = election.run(shutdown.signal, {
      async onStarted(signal) {
        shutdown.abort();
        await until("the wish to end", () => signal.aborted);
        const last = { metadata: { annotations: { last: "written" } } };
        await fenced.mergePatch(resources.namespaces, "", namespace, last);
        holderAtLastWrite = (await lease("ordered")).spec?.holderIdentity;
      },
      onStopped: () => {},
    });
    expect(await end).toBe("released");
    expect(holderAtLastWrite).toBe("x");
    expect((await lease("ordered")).spec?.holderIdentity ?? "").toBe("");
    const stored = await client.get(resources.namespaces, "", namespace);
    expect(stored.metadata.annotations?.last).toBe("written");
  });

  it("passes on a failure of the leader's work after releasing", async () => {
    const shutdown = new AbortController();
    const election = createElection({ client, namespace, name: "failing", identity: "x" });
    const run = election.run(shutdown.signal, {
      onStarted: () => Promise.reject(new Error("broken work")),
      onStopped: () => {},
    });
    await expect(run).rejects.toThrow("broken work");
    expect((await lease("failing")).spec?.holderIdentity ?? "").toBe("");
  });
});
