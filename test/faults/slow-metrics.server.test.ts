import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, it } from "vitest";
import { until } from "../kube/until.ts";
import { type Bed, openBed } from "./bed.ts";
import { bridgeImage, storySpec } from "./story.ts";

let bed: Bed;
let source: Awaited<ReturnType<typeof startSilentSource>>;
beforeAll(async () => {
  [bed, source] = await Promise.all([openBed(), startSilentSource()]);
});
afterAll(async () => {
  await bed?.down();
  await source?.close();
});

describe("scenario 20: a metric source that takes every query and answers none", () => {
  it("keeps no command, no edit and no pod waiting", async () => {
    const stage = await bed.stage({ isEmpty: true });
    await stage.start({ metricsUrl: source.url });
    const { bridge, command, holding } = stage.actor();
    await bridge.apply(storySpec(bridgeImage(1)));
    await bridge.promoted(bridgeImage(1));

    // A question takes 10 s until it is given up; who waited for it would not be served within half of that.
    const served = async (
      act: () => Promise<unknown>,
      what: string,
      when: Parameters<typeof bridge.waitFor>[1],
    ) => {
      const before = source.queries;
      await until("asked once more", () => source.queries > before);
      await act();
      return bridge.waitFor(what, when, 5_000);
    };
    await served(
      () => bridge.patch({ image: bridgeImage(2) }),
      "the canary",
      ({ canary }) => canary?.image === bridgeImage(2),
    );
    const revision = await holding(bridgeImage(2));
    await served(
      () => command({ action: "abort", revision }),
      "the command taken",
      (status) => status.command?.id === `abort-${revision}`,
    );
    await bridge.rolledBack();
  });
});

/** A server of the query API that never answers. */
async function startSilentSource() {
  let queries = 0;
  const server: Server = createServer(() => {
    queries += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** That came so far. */
    get queries() {
      return queries;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
