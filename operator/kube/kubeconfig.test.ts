import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCredentials } from "./credentials.ts";
import { loadKubeConfig } from "./kubeconfig.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-kubeconfig-"));
  write("first", kubeconfig({ server: "http://first", context: "here", namespace: "ai" }));
  write("second", kubeconfig({ server: "http://second", context: "there", namespace: "web" }));
  write("token", "t");
  mkdirSync(path("home/.kube"), { recursive: true });
  write("home/.kube/config", kubeconfig({ server: "http://home", context: "home", namespace: "ai" }));
  write("empty", "");
  write("comments", "---\n# nothing yet\n");
  write("broken", "clusters: [\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
const write = (name: string, text: string) => writeFileSync(path(name), text);
const list = (...names: readonly string[]) => names.map(path).join(delimiter);

/** All of them call their cluster and their user the same. */
const kubeconfig = ({ server, context, namespace }: Record<"server" | "context" | "namespace", string>) =>
  JSON.stringify({
    "current-context": context,
    clusters: [{ name: "c", cluster: { server, "certificate-authority": "ca.crt" } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: context, context: { cluster: "c", user: "u", namespace } }],
  });

describe("a list of files in KUBECONFIG", () => {
  const loaded = (...names: readonly string[]) =>
    loadKubeConfig({ environment: { KUBECONFIG: list(...names), HOME: folder } });

  it.each([
    ["a file that is not there", ["none", "first"]],
    ["an empty file", ["empty", "first"]],
    ["a file of comments", ["first", "comments"]],
  ])("passes over %s", (_, names) => {
    expect(loaded(...names).getCurrentCluster()).toMatchObject({ server: "http://first" });
  });

  it("takes of each name, and of the current context, the first", () => {
    const config = loaded("first", "second");
    expect(config.getCurrentContext()).toBe("here");
    expect(config.getContexts().map(({ name }) => name)).toEqual(["here", "there"]);
    expect(config.getClusters()).toMatchObject([{ server: "http://first", caFile: path("ca.crt") }]);
  });

  it("knows tokens that stand in files, seen from the folder of the kubeconfig, as kubectl prefers them", async () => {
    const users = [{ name: "u", user: { tokenFile: "token", token: "old" } }];
    const own = { ...JSON.parse(kubeconfig({ server: "https://f", context: "f", namespace: "ai" })), users };
    write("files", JSON.stringify(own));
    const credentials = async () => (await readCredentials(config)).headers.Authorization;
    const config = loaded("files");
    write("ca.crt", "of no matter");
    expect(await credentials()).toBe("Bearer t");
    write("token", "next\n");
    expect(await credentials()).toBe("Bearer next");
    write("token", "t");
  });

  it("says what is wrong", () => {
    expect(() => loaded("none", "empty")).toThrow(
      `KUBECONFIG names ${list("none", "empty")}, where there is none`,
    );
    expect(() => loaded("first", "broken")).toThrow(`kubeconfig ${path("broken")} cannot be used: `);
    expect(() => loadKubeConfig({ environment: { HOME: folder } })).toThrow("no kubeconfig found: pass");
  });
});

describe("in a pod", () => {
  const loaded = (prefer: "Pod" | "Files", environment: Readonly<Record<string, string>>) =>
    loadKubeConfig({
      ...{ prefer, tokenFile: path("token") },
      environment: { KUBERNETES_SERVICE_HOST: "10.0.0.1", ...environment },
    }).getCurrentContext();

  it.each([
    ["Pod", "a list of files", { KUBECONFIG: "first", HOME: "none" }, "inClusterContext"],
    ["Pod", "a file of the home", { HOME: "home" }, "inClusterContext"],
    ["Files", "a list of files", { KUBECONFIG: "first", HOME: "none" }, "here"],
    ["Files", "a file of the home", { HOME: "home" }, "home"],
    ["Files", "no file", { HOME: "none" }, "inClusterContext"],
  ] as const)("prefers %s, where there is %s", (prefer, _, names, context) => {
    const environment = Object.fromEntries(Object.entries(names).map(([name, file]) => [name, path(file)]));
    expect(loaded(prefer, environment)).toBe(context);
  });

  it("goes to no other cluster than the one that a list was to name", () => {
    expect(() => loaded("Files", { KUBECONFIG: path("none"), HOME: folder })).toThrow("where there is none");
  });

  it("needs a token to be in one", () => {
    const environment = { KUBERNETES_SERVICE_HOST: "10.0.0.1", HOME: folder };
    expect(() => loadKubeConfig({ tokenFile: path("none"), environment })).toThrow("no kubeconfig found");
  });
});
