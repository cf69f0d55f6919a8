import { expect, it } from "vitest";
import type { KubeClient } from "../kube/client.ts";
import { keepSecret, SecretChanged } from "./keep-secret.ts";

it("writes nothing where the Secret holds something else by now than what was decided on", async () => {
  const asked: unknown[] = [];
  const contents = {
    content: (...args: unknown[]) => {
      asked.push(args);
      return undefined;
    },
  };
  const write = {
    ...{ kind: "KeepSecret" as const, revision: "a", name: "chat-a-secret-0-x", from: "openai" },
    ...{ keys: ["token"], fingerprint: "f1" },
  };
  const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
  // A client that is used fails the test.
  const untouched = {} as KubeClient;
  await expect(keepSecret({ client: untouched, contents }, bridge, write, undefined)).rejects.toThrow(
    SecretChanged,
  );
  expect(asked).toEqual([[{ namespace: "ai", name: "openai" }, { name: "openai", keys: ["token"] }, "f1"]]);
});
