import { expect } from "vitest";
import { resources } from "../../operator/kube/resources.ts";
import type { ControlPlane } from "../faults/control-plane.ts";
import { oldPods, read, type StoredDeployment, type StoredService } from "./old-deployment.ts";

/** What `makeOld` made under the name `web` is as it was before there was a bridge, but for numbers that Kubernetes counts up. */
export async function expectUntouched(plane: ControlPlane, namespace: string): Promise<void> {
  const [old, front, pods] = await Promise.all([
    read<StoredDeployment>(plane, namespace, resources.deployments, "web"),
    read<StoredService>(plane, namespace, resources.services, "web"),
    oldPods(plane, namespace),
  ]);
  expect(old.spec.replicas).toBe(2);
  expect(front.spec).toMatchObject({
    ...{ selector: { app: "web" }, ports: [{ port: 80, targetPort: "http" }] },
  });
  const marks = [old, front, ...pods].flatMap(({ metadata }) => [
    ...Object.keys(metadata.labels ?? {}),
    ...Object.keys(metadata.annotations ?? {}),
  ]);
  expect(marks.filter((key) => key.startsWith("llmbridge.dev"))).toEqual([]);
}
