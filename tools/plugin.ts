import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { stringify } from "yaml";
import { KUBECTL_COMPLETION } from "../operator/cli/completion/shells.ts";
import { bundle } from "./build.ts";
import { run } from "./setup/command.ts";

const ROOT = resolve(import.meta.dirname, "..");

interface Package {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** The name by which kubectl's own completion looks for it. */
const COMPLETION = "kubectl_complete-llmbridge";

const readPackage = () => JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Package;

/**
 * The manifest by which krew installs the plugin (krew.sigs.k8s.io/docs/developer-guide/plugin-manifest).
 * @param uri where the archive is to be found; its name alone where it is given by hand with --archive
 */
export function krewManifest({ version, engines }: Package, uri: string, sha256: string) {
  return {
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "llmbridge" },
    spec: {
      version: `v${version}`,
      shortDescription: "Watch and steer LLM bridges",
      description:
        "Shows LLM bridges down to their pods, explains why the operator did what it did, compares revisions, checks and renders manifests, and promotes or aborts canaries. `status` follows a change to its end for pipelines.",
      caveats: [
        `Needs Node ${engines.node} on the PATH.`,
        "For completion put the executable that the archive holds on the PATH; krew links one of a plugin only:",
        `  ln -s "\${KREW_ROOT:-$HOME/.krew}/store/llmbridge/v${version}/${COMPLETION}" "\${KREW_ROOT:-$HOME/.krew}/bin/"`,
      ].join("\n"),
      platforms: [
        {
          selector: { matchExpressions: [{ key: "os", operator: "In", values: ["darwin", "linux"] }] },
          uri,
          sha256,
          bin: "main.js",
        },
      ],
    },
  };
}

/**
 * Writes the plugin as an archive, and the manifest for krew beside it. The same sources give the same bytes.
 * @param url folder that the archive is going to be served from; without it the manifest serves `krew install --archive` only
 */
export async function packPlugin(
  output: string,
  url?: string,
): Promise<{ archive: string; manifest: string }> {
  const about = readPackage();
  const stage = mkdtempSync(join(tmpdir(), "llmbridge-plugin-"));
  try {
    await bundle(["cli"], stage);
    const content = join(stage, "cli");
    writeFileSync(join(content, "package.json"), '{ "type": "module" }\n');
    writeFileSync(join(content, COMPLETION), KUBECTL_COMPLETION, { mode: 0o755 });
    cpSync(join(ROOT, "LICENSE"), join(content, "LICENSE"));
    const tar = join(stage, "plugin.tar");
    await run([
      ...(["tar", "--format=ustar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0"] as const),
      ...["--numeric-owner", "--mode=u=rwX,go=rX", "-cf", tar, "-C", content, "."],
    ]);
    mkdirSync(output, { recursive: true });
    const name = `kubectl-llmbridge-${about.version}.tar.gz`;
    const bytes = gzipSync(readFileSync(tar), { level: 9 });
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const uri = url === undefined ? name : `${url.replace(/\/$/, "")}/${name}`;
    const [archive, manifest] = [join(output, name), join(output, "llmbridge.yaml")];
    writeFileSync(archive, bytes);
    writeFileSync(manifest, stringify(krewManifest(about, uri, sha256), { lineWidth: 0 }));
    return { archive, manifest };
  } finally {
    rmSync(stage, { recursive: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { url: { type: "string" } } });
  const { archive, manifest } = await packPlugin(join(ROOT, "dist", "plugin"), values.url);
  console.log(`kubectl krew install --manifest ${manifest} --archive ${archive}`);
}
