import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Rule } from "../../operator/permissions.ts";
import { Authority } from "../cluster/pki.ts";
import type { ControlPlane } from "./control-plane.ts";

type Server = Pick<ControlPlane, "api" | "server">;

/** Logs in as a ServiceAccount that exists; the path of a kubeconfig with its token. */
export async function loginAs(plane: Server, namespace: string, name: string): Promise<string> {
  const request = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 3600 },
  };
  const { status } = (await plane.api.request(
    "POST",
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    request,
  )) as { status: { token: string } };
  const { url, kubeconfigPath } = plane.server;
  const folder = dirname(kubeconfigPath);
  const path = join(folder, `${namespace}-${name}.kubeconfig`);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [
      { name: "server", cluster: { server: url, "certificate-authority": join(folder, "pki", "ca.crt") } },
    ],
    users: [{ name, user: { token: status.token } }],
    contexts: [{ name, context: { cluster: "server", user: name } }],
  };
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** Makes a ServiceAccount that may do just this in its namespace, and logs in as it. */
export async function account(
  plane: Server,
  namespace: string,
  name: string,
  rules: readonly Rule[],
): Promise<string> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name };
  const apiGroup = "rbac.authorization.k8s.io";
  await plane.api.request("POST", `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata });
  await plane.api.request("POST", `${rbac}/roles`, { metadata, rules });
  await plane.api.request("POST", `${rbac}/rolebindings`, {
    metadata,
    roleRef: { apiGroup, kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  return loginAs(plane, namespace, name);
}

/** Makes a user of this name who may do everything, so that the audit log tells who did what; the path of a kubeconfig. */
export async function administrator({ server }: Server, user: string): Promise<string> {
  const folder = dirname(server.kubeconfigPath);
  const authority = new Authority(join(folder, "pki"));
  await authority.issue({ name: `client-${user}`, user, group: "system:masters" });
  const path = join(folder, `${user}.kubeconfig`);
  authority.writeKubeconfig(path, `client-${user}`, server.url);
  return path;
}
