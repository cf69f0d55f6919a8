import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheKey, fileParts } from "./cache.ts";
import { run } from "./command.ts";

const KUBERNETES_VERSION = "v1.35.4";

export type ToolName = "pause" | "kubestack" | "coredns" | "prometheus" | "helm";

/** What a recipe works with. */
interface Workshop {
  /** The Go command. */
  readonly go: string;
  /** Environment with the Go settings that every build shares. */
  readonly env: NodeJS.ProcessEnv;
  /** An empty folder to work in, removed afterwards. */
  readonly scratch: string;
  /** Where the binary is to be written. */
  readonly output: string;
}

export interface Recipe {
  readonly name: ToolName;
  readonly label: string;
  readonly version: string;
  /** Everything besides name and version that decides what the binary is. */
  readonly inputs: readonly string[];
  build(workshop: Workshop): Promise<void>;
}

/** Raise it when a recipe changes in a way that its other inputs do not show. */
const RECIPES_REVISION = "1";
const LINK = "-s -w";
const [MAJOR, MINOR] = KUBERNETES_VERSION.slice(1).split(".");
const KUBERNETES_LINK = [
  LINK,
  ...[`gitVersion=${KUBERNETES_VERSION}`, `gitMajor=${MAJOR}`, `gitMinor=${MINOR}`].map(
    (assignment) => `-X k8s.io/component-base/version.${assignment}`,
  ),
].join(" ");

/** In the order in which a cluster needs them. */
export const RECIPES: readonly Recipe[] = [
  ownSource("pause", "Pause container", "1", LINK),
  ownSource(
    "kubestack",
    "Kubernetes 1.35 and etcd from source (minutes)",
    KUBERNETES_VERSION,
    KUBERNETES_LINK,
  ),
  published("coredns", "CoreDNS", "v1.15.0", "github.com/coredns/coredns"),
  prometheus("v0.315.0"),
  published("helm", "Helm", "v4.3.1", "helm.sh/helm/v4/cmd/helm"),
];

/** The name of the folder that holds the built tool: version and a hash of everything that decides the binary. */
export function toolFolderName(
  recipe: Pick<Recipe, "name" | "version" | "inputs">,
  architecture: string,
): string {
  const key = cacheKey([RECIPES_REVISION, architecture, recipe.version, ...recipe.inputs]);
  return `${recipe.name}-${recipe.version}-${key}`;
}

/** A module whose sources stand beside this file. */
function ownSource(name: ToolName, label: string, version: string, link: string): Recipe {
  const folder = join(import.meta.dirname, name);
  return {
    name,
    label,
    version,
    inputs: [link, ...fileParts(import.meta.dirname, [name])],
    async build({ go, env, output }) {
      await run([go, "build", "-trimpath", "-ldflags", link, "-o", output, "."], { cwd: folder, env });
    },
  };
}

/** A command that its module's author lets others install by version. */
function published(name: ToolName, label: string, version: string, path: string): Recipe {
  return {
    name,
    label,
    version,
    inputs: [path, LINK],
    async build({ go, env, scratch }) {
      await run([go, "install", "-trimpath", "-ldflags", LINK, `${path}@${version}`], {
        env: { ...env, GOBIN: join(scratch, "bin") },
      });
      cpSync(join(scratch, "bin", name), join(scratch, "out", name));
    },
  };
}

/** Prometheus is built in a copy of its module, because a module with replace lines cannot be installed by version. */
function prometheus(version: string): Recipe {
  const module = "github.com/prometheus/prometheus";
  const tags = "remove_all_sd,enable_kubernetes_sd";
  return {
    name: "prometheus",
    label: "Prometheus",
    version,
    inputs: [module, tags, LINK],
    async build({ go, env, scratch, output }) {
      const download = JSON.parse(
        await run([go, "mod", "download", "-json", `${module}@${version}`], { env }),
      ) as {
        Dir: string;
      };
      const copy = join(scratch, "source");
      await run(["cp", "-r", "--no-preserve=mode", download.Dir, copy]);
      rmSync(join(copy, "go.work"), { force: true });
      const args = [
        "-mod=mod",
        "-trimpath",
        "-ldflags",
        LINK,
        "-tags",
        tags,
        "-o",
        output,
        "./cmd/prometheus",
      ];
      await run([go, "build", ...args], { cwd: copy, env });
    },
  };
}
