import { expect, it } from "vitest";
import { removeApiServer } from "../cluster/api-server.ts";
import { startControlPlane } from "./control-plane.ts";

/** What is lent is used again while it answers, and only then; what is one's own is nobody else's. */
it("the suites of a run are lent one control plane after the other, until it does not answer", async () => {
  const first = await startControlPlane();
  const { server } = first;
  await first.down();
  const second = await startControlPlane();
  expect(second.server).toEqual(server);
  expect(await second.api.request("GET", "/api/v1/namespaces/default")).toMatchObject({ kind: "Namespace" });
  const own = await startControlPlane({ isOwn: true });
  expect(own.server.kubeconfigPath).not.toBe(server.kubeconfigPath);
  await Promise.all([own.down(), second.down()]);
  await removeApiServer(server);
  const third = await startControlPlane();
  expect(third.server.kubeconfigPath).not.toBe(server.kubeconfigPath);
  await third.down();
});
