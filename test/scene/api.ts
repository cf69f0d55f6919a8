import { KIND } from "../../operator/api/v1alpha1/llmbridge.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { type LLMBridgeStatus, llmBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { createClient, type KubeClient } from "../../operator/kube/client.ts";
import { isNotFound } from "../../operator/kube/errors.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { createTransport } from "../../operator/kube/transport.ts";
import { until } from "../cluster/until.ts";

/** The API server as a person with every right uses it. */
export interface Api {
  readonly client: KubeClient;
  close(): Promise<void>;
}

export function openApi(kubeconfig: string): Api {
  const kubeConfig = loadKubeConfig({ kubeconfig });
  const transport = createTransport({ kubeConfig, userAgent: "llmbridge-test" });
  return { client: createClient(transport), close: () => transport.close() };
}

/** One bridge under test: what its user does and sees. */
export class Bridge {
  readonly namespace: string;
  readonly name: string;
  readonly #client: KubeClient;

  constructor(client: KubeClient, namespace: string, name: string) {
    this.#client = client;
    this.namespace = namespace;
    this.name = name;
  }

  /** `kubectl apply --server-side`: fields left out are given up. */
  async apply(spec: LLMBridgeSpecInput): Promise<void> {
    const { namespace, name } = this;
    const body = { apiVersion: "llmbridge.dev/v1alpha1", kind: KIND, metadata: { namespace, name }, spec };
    await this.#client.apply(LLMBRIDGES, body, { fieldManager: "llmbridge-test" });
  }

  /** `kubectl patch --type=merge` of the spec. */
  async patch(spec: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#client.mergePatch(LLMBRIDGES, this.namespace, this.name, { spec });
  }

  async get(): Promise<KubeObject | undefined> {
    try {
      return await this.#client.get(LLMBRIDGES, this.namespace, this.name);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async status(): Promise<LLMBridgeStatus> {
    const object = (await this.get()) as { status?: unknown } | undefined;
    return llmBridgeStatus.parse(object?.status ?? {});
  }

  async delete(): Promise<void> {
    await this.#client.delete(LLMBRIDGES, this.namespace, this.name, { propagationPolicy: "Background" });
  }

  /** Waits until the status is as wanted; the error says what it was last. */
  async waitFor(
    what: string,
    wanted: (status: LLMBridgeStatus) => boolean,
    timeoutMs = 120_000,
  ): Promise<LLMBridgeStatus> {
    let last: LLMBridgeStatus = llmBridgeStatus.parse({});
    await until(
      `${this.name} to be ${what}`,
      timeoutMs,
      async () => {
        last = await this.status();
        return wanted(last) ? undefined : `${last.phase}: ${last.summary}`;
      },
      200,
    );
    return last;
  }

  /** The image is what runs, alone, and the bridge is at rest. */
  promoted(image: string, timeoutMs?: number): Promise<LLMBridgeStatus> {
    return this.waitFor(
      `promoted to ${image}`,
      (status) => status.phase === "Stable" && status.stable?.image === image && isReady(status),
      timeoutMs,
    );
  }

  /** The canary was taken back for a reason, and the stable version serves. */
  rolledBack(timeoutMs?: number): Promise<LLMBridgeStatus> {
    return this.waitFor(
      "rolled back",
      (status) => status.phase === "Aborted" && status.rollout?.failed !== undefined && isReady(status),
      timeoutMs,
    );
  }
}

export function conditionOf(
  status: LLMBridgeStatus,
  type: string,
): LLMBridgeStatus["conditions"][number] | undefined {
  return status.conditions.find((one) => one.type === type);
}

const isReady = (status: LLMBridgeStatus) => conditionOf(status, "Ready")?.status === "True";
