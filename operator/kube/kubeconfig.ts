import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";

export type { KubeConfig };

export interface KubeConfigOptions {
  /** Path of a kubeconfig file. Default: as `prefer` says. */
  readonly kubeconfig?: string | undefined;
  /** Name of a context in it. Default: the file's current context. */
  readonly context?: string | undefined;
  /**
   * What counts in a pod that has both. Pod: its service account, else KUBECONFIG, else ~/.kube/config. Files: the files first, as for kubectl, since
   * a person in a pod (a CI runner, a devcontainer) means the cluster that they name. Default: Pod.
   */
  readonly prefer?: "Pod" | "Files";
  /** Path of the token that every pod has. */
  readonly tokenFile?: string;
  /** Where KUBECONFIG, HOME and the pod's variables are read from. Default: process.env. */
  readonly environment?: Environment;
}

type Environment = Readonly<Record<string, string | undefined>>;

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Loads how to reach the API server and who we are there.
 * @throws Error when there is no configuration, the file cannot be read, or the context does not exist in it
 */
export function loadKubeConfig(options: KubeConfigOptions = {}): KubeConfig {
  const { prefer = "Pod", tokenFile = SERVICE_ACCOUNT_TOKEN } = options;
  const environment = options.environment ?? process.env;
  const config = new KubeConfig();
  const files = options.kubeconfig === undefined ? filesOf(environment).filter(saysAnything) : [];
  const isNamed = Boolean(environment.KUBECONFIG) || files.length > 0;
  if (options.kubeconfig !== undefined) {
    loadFile(config, options.kubeconfig);
  } else if (isInPod(environment, tokenFile) && (prefer === "Pod" || !isNamed)) {
    config.loadFromCluster();
  } else {
    if (files.length === 0) throw new Error(nothingIn(environment.KUBECONFIG));
    for (const file of files) addFile(config, file);
  }
  if (options.context !== undefined) {
    if (!config.getContextObject(options.context)) {
      const known = config.getContexts().map((context) => context.name);
      throw new Error(
        `kubeconfig context ${JSON.stringify(options.context)} does not exist: use one of ${known.join(", ")}`,
      );
    }
    config.setCurrentContext(options.context);
  }
  if (!config.getCurrentCluster()) {
    throw new Error(
      "the kubeconfig has no current context: set current-context in it or pass --context NAME",
    );
  }
  return config;
}

const isInPod = (environment: Environment, tokenFile: string): boolean =>
  Boolean(environment.KUBERNETES_SERVICE_HOST) && existsSync(tokenFile);

/** The files of KUBECONFIG, or else the one that everybody has. */
function filesOf({ KUBECONFIG, HOME }: Environment): readonly string[] {
  if (KUBECONFIG) return KUBECONFIG.split(delimiter).filter((file) => file !== "");
  return [join(HOME ?? homedir(), ".kube", "config")];
}

/** As for kubectl, files that are not there or hold nothing but comments may stand in the list. */
function saysAnything(file: string): boolean {
  try {
    return readFileSync(file, "utf8").split("\n").some(isContent);
  } catch (error) {
    // What is there and cannot be read is told when it is loaded.
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

const isContent = (line: string): boolean => !/^(---)?\s*(#.*)?$/.test(line);

const nothingIn = (list: string | undefined): string =>
  list
    ? `no kubeconfig found: KUBECONFIG names ${list}, where there is none`
    : "no kubeconfig found: pass --kubeconfig FILE, set KUBECONFIG, or run inside a pod";

/** Adds what the files before it do not have: of each name, and of the current context, the first counts. */
function addFile(config: KubeConfig, file: string): void {
  const own = new KubeConfig();
  loadFile(own, file);
  config.loadFromOptions({
    clusters: together(config.clusters, own.clusters),
    users: together(config.users, own.users),
    contexts: together(config.contexts, own.contexts),
    currentContext: config.currentContext || own.currentContext,
  });
}

const together = <T extends { readonly name: string }>(
  before: readonly T[],
  more: readonly T[],
): readonly T[] => [...before, ...more.filter(({ name }) => !before.some((one) => one.name === name))];

function loadFile(config: KubeConfig, file: string): void {
  try {
    config.loadFromFile(file);
    config.users = withTokenFiles(config.users, file);
  } catch (error) {
    throw new Error(
      `kubeconfig ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

type User = ReturnType<KubeConfig["getUsers"]>[number];

/** client-node passes over `tokenFile`, which counts before `token` for kubectl; as this provider it reads the file, again each time it is asked. */
function withTokenFiles(users: readonly User[], file: string): User[] {
  const said = parse(readFileSync(file, "utf8")) as {
    readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } }[];
  };
  return users.map((one) => {
    const tokenFile = said.users?.find(({ name }) => name === one.name)?.user?.tokenFile;
    if (!tokenFile) return one;
    const { token: _, ...rest } = one;
    const config = { tokenFile: resolve(dirname(file), tokenFile) };
    return { ...rest, authProvider: { name: "tokenFile", config } };
  });
}
