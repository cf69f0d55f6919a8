import { afterAll, beforeAll } from "vitest";
import { createProgress } from "../../tools/setup/progress.ts";
import { type ApiServer, apiServerUp } from "../cluster/api-server.ts";
import { type BridgeApi, bridgeApi } from "./bridge-api.ts";

/** A real API server with the CRD as generated now, there while the tests of a file run. */
export function bridgeServer(): { readonly server: ApiServer; readonly api: BridgeApi } {
  let up: { server: ApiServer; api: BridgeApi } | undefined;
  beforeAll(async () => {
    const server = await apiServerUp({ progress: createProgress({ write: () => {}, nowMs: Date.now }) });
    up = { server, api: bridgeApi(server.kubeconfigPath) };
    await up.api.installCrd();
  });
  afterAll(async () => {
    await up?.api.close();
    await up?.server.down();
  });
  const running = () => {
    if (up === undefined) throw new Error("the API server runs only while tests do");
    return up;
  };
  return {
    get server() {
      return running().server;
    },
    get api() {
      return running().api;
    },
  };
}
