import { expect, it } from "vitest";
import { GROUP as OF_LABELS } from "../../contract/kubernetes.ts";
import { GROUP } from "../api/v1alpha1/llmbridge.ts";

// Neither may import the other: the contract is the bridge's too.
it("labels are of the resource's group", () => {
  expect(OF_LABELS).toBe(GROUP);
});
