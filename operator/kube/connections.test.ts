import type { RequestOptions } from "node:https";
import { KubeConfig } from "@kubernetes/client-node";
import { afterEach, describe, expect, it } from "vitest";
import { type Connections, createConnections } from "./connections.ts";
import { silentLog } from "./log.ts";
import { createVirtualClock } from "./virtual-clock.ts";

const MINUTE = 60_000;
const open: Connections[] = [];
afterEach(async () => {
  for (const connections of open.splice(0)) await connections.destroy();
});

/** A kubeconfig whose credentials are the answer to each reading, as a slow disk or a credential plugin gives them. */
class AnsweredConfig extends KubeConfig {
  readonly readings: PromiseWithResolvers<RequestOptions>[] = [];

  override async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    const reading = Promise.withResolvers<RequestOptions>();
    this.readings.push(reading);
    Object.assign(options, await reading.promise);
  }

  answer(index: number, token: string, ca = "ours"): void {
    this.readings[index]?.resolve({ headers: { Authorization: `Bearer ${token}` }, ca });
  }
}

async function bed() {
  const kubeConfig = new AnsweredConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: "one", server: "https://127.0.0.1:1", skipTLSVerify: false },
    { name: "one" },
  );
  const clock = createVirtualClock();
  const connections = createConnections({ kubeConfig, maxInFlight: 4, clock, log: silentLog });
  open.push(connections);
  const first = connections.current("requests");
  kubeConfig.answer(0, "first");
  await first;
  const token = async (): Promise<unknown> =>
    (await connections.current("lease")).credentials.headers.Authorization;
  return { kubeConfig, clock, connections, token };
}

describe("credentials that are read again", () => {
  it("keep no request waiting while the last ones serve", async () => {
    const { kubeConfig, clock, token } = await bed();
    await clock.advance(MINUTE);
    expect(await token()).toBe("Bearer first");
    expect(await token()).toBe("Bearer first");
    expect(kubeConfig.readings).toHaveLength(2);
    kubeConfig.answer(1, "second");
    await clock.advance(0);
    expect(await token()).toBe("Bearer second");
    expect(kubeConfig.readings).toHaveLength(2);
  });

  it("are waited for when the last ones did not serve, but not for ever", async () => {
    const { kubeConfig, clock, connections, token } = await bed();
    connections.expire();
    const asked = token();
    await clock.advance(1_000);
    kubeConfig.answer(1, "second");
    expect(await asked).toBe("Bearer second");
    connections.expire();
    const hanging = token();
    await clock.advance(2_000);
    expect(await hanging).toBe("Bearer second");
    expect(clock.pending).toBe(0);
  });

  it("are used on connections of their own as soon as they are there", async () => {
    const { kubeConfig, clock, connections } = await bed();
    const { dispatcher: before } = await connections.current("requests");
    await clock.advance(MINUTE);
    const meanwhile = connections.current("requests");
    kubeConfig.answer(1, "second", "another authority");
    expect((await meanwhile).dispatcher).toBe(before);
    await clock.advance(0);
    const after = await connections.current("requests");
    expect(after.dispatcher).not.toBe(before);
    expect(after.credentials.tls.ca).toBe("another authority");
  });
});
