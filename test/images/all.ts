import { join, resolve } from "node:path";
import { CACHED, type Progress } from "../../tools/setup/progress.ts";
import type { BuiltImage } from "./build-image.ts";
import { imageOnBridge, imageOnProduct, type ProductImage, productImage } from "./product.ts";

const TARGETS: readonly ProductImage[] = ["operator", "bridge"];

/** Builds both images of the product, or takes them from the cache, with a line of progress for each. */
export async function productImages(cache: string, progress: Progress): Promise<readonly BuiltImage[]> {
  const images: BuiltImage[] = [];
  for (const target of TARGETS) {
    const build = (): ReturnType<typeof productImage> => productImage(cache, target);
    images.push(await progress.step(`Image ${target}`, build, (image) => (image.fresh ? undefined : CACHED)));
  }
  return images;
}

const MODEL_FOLDER = resolve(import.meta.dirname, "../model");
const BAD_FOLDER = join(import.meta.dirname, "bad");

/** The model stand-in. */
export function modelImage(cache: string): Promise<BuiltImage & { fresh: boolean }> {
  return imageOnBridge(cache, {
    name: "llmbridge-test/model:dev",
    dockerfile: join(import.meta.dirname, "model.Dockerfile"),
    context: MODEL_FOLDER,
  });
}

/** Targets of test/images/bad/Dockerfile: a good next version of the bridge, and bad ones. */
const BRIDGE_VERSIONS = ["next", "errors", "slow", "crash", "heap", "killed", "unready", "memory"] as const;
export type BridgeVersion = (typeof BRIDGE_VERSIONS)[number];

/** A version of the bridge that is built on the product's image. */
export function bridgeVersionImage(
  cache: string,
  version: BridgeVersion,
): Promise<BuiltImage & { fresh: boolean }> {
  return imageOnBridge(cache, {
    name: `llmbridge-test/bridge-${version}:dev`,
    dockerfile: join(BAD_FOLDER, "Dockerfile"),
    target: version,
    context: BAD_FOLDER,
  });
}

const NEXT_OPERATOR_FOLDER = join(import.meta.dirname, "next-operator");

/** The operator as a next version might be: it has another version number and renders other pods. */
export function nextOperatorImage(cache: string): Promise<BuiltImage & { fresh: boolean }> {
  return imageOnProduct(cache, "operator", "OPERATOR_IMAGE", {
    name: "llmbridge/operator:next",
    dockerfile: join(NEXT_OPERATOR_FOLDER, "Dockerfile"),
    context: NEXT_OPERATOR_FOLDER,
  });
}

/** Builds every image that a suite on the cluster runs, so that none is built while another suite measures. */
export async function suiteImages(cache: string, progress: Progress): Promise<void> {
  await productImages(cache, progress);
  const builds: [string, () => Promise<{ fresh: boolean }>][] = [
    ["model", () => modelImage(cache)],
    ...BRIDGE_VERSIONS.map((version): [string, () => Promise<{ fresh: boolean }>] => [
      `bridge-${version}`,
      () => bridgeVersionImage(cache, version),
    ]),
    ["operator-next", () => nextOperatorImage(cache)],
  ];
  for (const [name, build] of builds)
    await progress.step(`Image ${name}`, build, (image) => (image.fresh ? undefined : CACHED));
}
