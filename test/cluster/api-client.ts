import { readFileSync } from "node:fs";
import { Agent, request } from "undici";

/** The few requests that the cluster's own start and checks send, as the administrator. */
export interface ApiClient {
  /** The parsed answer; throws when the server says anything but 2xx. */
  get(path: string): Promise<unknown>;
  /** Creates an object, or does nothing when one of its name exists. */
  create(object: object): Promise<void>;
  close(): Promise<void>;
}

interface Kubeconfig {
  readonly clusters: readonly { cluster: { server: string; "certificate-authority-data": string } }[];
  readonly users: readonly { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** Reads a kubeconfig that this folder's own code wrote. */
export function apiClient(kubeconfigPath: string): ApiClient {
  const config = JSON.parse(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
  const [cluster, user] = [config.clusters[0]?.cluster, config.users[0]?.user];
  if (!cluster || !user) throw new Error(`${kubeconfigPath} names no cluster or no user`);
  const decode = (base64: string): Buffer => Buffer.from(base64, "base64");
  const agent = new Agent({
    connect: {
      ca: decode(cluster["certificate-authority-data"]),
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
    },
    connectTimeout: 2000,
    headersTimeout: 10_000,
  });
  const send = async (
    method: "GET" | "POST",
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> => {
    const answer = await request(`${cluster.server}${path}`, {
      method,
      dispatcher: agent,
      headers: { "content-type": "application/json", accept: "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  return {
    async get(path) {
      const { status, text } = await send("GET", path);
      if (status > 299) throw new Error(`GET ${path}: ${status} ${text.slice(0, 200)}`);
      return text.startsWith("{") ? JSON.parse(text) : text;
    },
    async create(object) {
      const path = collectionPath(object as ObjectHead);
      const { status, text } = await send("POST", path, object);
      const exists = 409;
      if (status > 299 && status !== exists) throw new Error(`POST ${path}: ${status} ${text.slice(0, 300)}`);
    },
    close: () => agent.destroy(),
  };
}

interface ObjectHead {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
}

function collectionPath({ apiVersion, kind, metadata }: ObjectHead): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${kind.toLowerCase()}s`;
}
