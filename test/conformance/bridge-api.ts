import { customResourceDefinition } from "../../operator/api/crd.ts";
import { ApiError } from "../../operator/kube/errors.ts";
import { loadKubeConfig } from "../../operator/kube/kubeconfig.ts";
import { createTransport } from "../../operator/kube/transport.ts";

const GROUP_PATH = "/apis/llmbridge.dev/v1alpha1";
const CRDS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export type Crd = ReturnType<typeof customResourceDefinition>;

/** One thing that the API server says is wrong. */
export interface Refusal {
  readonly field: string;
  readonly message: string;
}

/** Requests to a real API server, as these suites need them. */
export interface BridgeApi {
  /** Applies the CRD, as generated now unless another is given, and waits until it is served. */
  installCrd(crd?: Crd): Promise<void>;
  /** Creates the object; what the server says against it, or nothing. `keep` stores it, else it is a dry run. */
  create(object: object, options?: { keep?: boolean; strict?: boolean }): Promise<readonly Refusal[]>;
  /** Merge-patches a stored bridge in a dry run; `subresource` is "status" or "scale". */
  patch(name: string, patch: object, subresource?: "status" | "scale"): Promise<readonly Refusal[]>;
  remove(name: string): Promise<void>;
  request(
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<unknown>;
  close(): Promise<void>;
}

/** Talks to the API server of a kubeconfig. Bridges are in namespace default. */
export function bridgeApi(kubeconfigPath: string): BridgeApi {
  const transport = createTransport({
    kubeConfig: loadKubeConfig({ kubeconfig: kubeconfigPath }),
    userAgent: "llmbridge-conformance",
  });
  const bridges = `${GROUP_PATH}/namespaces/default/llmbridges`;
  const request: BridgeApi["request"] = (method, pathAndQuery, body, contentType) => {
    const [path = "", query = ""] = pathAndQuery.split("?");
    return transport.send({
      method,
      verb: method.toLowerCase(),
      resource: "llmbridges",
      subject: path,
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      idempotent: true,
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  };
  return {
    request,
    async installCrd(crd = customResourceDefinition()) {
      const path = `${CRDS_PATH}/${crd.metadata.name}?fieldManager=conformance&force=true`;
      await request("PATCH", path, crd, "application/apply-patch+yaml");
      await untilServed(request);
    },
    create(object, { keep = false, strict = true } = {}) {
      const query = [...(keep ? [] : ["dryRun=All"]), ...(strict ? ["fieldValidation=Strict"] : [])].join(
        "&",
      );
      return refusals(() => request("POST", `${bridges}?${query}`, object));
    },
    patch(name, patch, subresource) {
      const path = `${bridges}/${name}${subresource ? `/${subresource}` : ""}?dryRun=All&fieldValidation=Strict`;
      return refusals(() => request("PATCH", path, patch, "application/merge-patch+json"));
    },
    async remove(name) {
      await request("DELETE", `${bridges}/${name}`);
    },
    close: () => transport.close(),
  };
}

/** A CRD is served a moment after it is stored; the list answers 404 until then. */
async function untilServed(request: BridgeApi["request"]): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await request("GET", `${GROUP_PATH}/llmbridges`);
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404 || tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function refusals(send: () => Promise<unknown>): Promise<readonly Refusal[]> {
  try {
    await send();
    return [];
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const causes = error.status.details?.causes ?? [];
    if (causes.length === 0) return [{ field: "", message: error.status.message ?? "" }];
    return causes.map(({ field = "", message = "" }) => ({ field, message }));
  }
}
