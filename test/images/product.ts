import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  type BuiltImage,
  baseName,
  buildImage,
  builtImage,
  type ImageRequest,
  isStored,
  localName,
} from "./build-image.ts";
import { ensureNodeBase, nodeBaseKey, nodeBaseName } from "./node-base.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const COMMON = [
  "package.json",
  "package-lock.json",
  ".npmrc",
  "tools/build.ts",
  "tools/rootfs.ts",
  "contract",
];

export type ProductImage = "operator" | "bridge";

/** What an image of the product is built from; `dockerfile` and `context` are the shipped ones. */
export function productRequest(target: ProductImage): ImageRequest {
  const npmrc = join(homedir(), ".npmrc");
  return {
    name: `llmbridge/${target}:dev`,
    dockerfile: join(CHECKOUT, "Dockerfile"),
    target,
    context: CHECKOUT,
    inputs: [...COMMON, target],
    basedOn: [nodeBaseKey()],
    ...(existsSync(npmrc) ? { secrets: { npmrc } } : {}),
  };
}

/** Builds an image on the stand-in base; at once when one of the same inputs exists. */
export async function productImage(
  cache: string,
  target: ProductImage,
): Promise<BuiltImage & { fresh: boolean }> {
  const request = productRequest(target);
  return builtImage(cache, request, async () => ensureNodeBase(cache));
}

/** An image built on the bridge's: its Dockerfile begins with `ARG BRIDGE_IMAGE` and `FROM ${BRIDGE_IMAGE}`. */
export function imageOnBridge(
  cache: string,
  request: Omit<ImageRequest, "basedOn">,
): Promise<BuiltImage & { fresh: boolean }> {
  return imageOnProduct(cache, "bridge", "BRIDGE_IMAGE", request);
}

/** An image for tests, built on one of the product's, whose name is given to its Dockerfile as `argument`. */
export async function imageOnProduct(
  cache: string,
  target: ProductImage,
  argument: string,
  request: Omit<ImageRequest, "basedOn">,
): Promise<BuiltImage & { fresh: boolean }> {
  const product = await productImage(cache, target);
  const full: ImageRequest = {
    ...request,
    uncompressed: true,
    basedOn: [product.id],
    buildArgs: { ...request.buildArgs, [argument]: localName(baseName(product)) },
  };
  return builtImage(cache, full, async () => {
    if (await isStored(cache, baseName(product))) return;
    await ensureNodeBase(cache);
    await buildImage(cache, productRequest(target));
  });
}

/** An image for tests that needs the GNU C library and no Node: its Dockerfile begins with `ARG NODE_IMAGE` and `FROM ${NODE_IMAGE}`. */
export function imageOnNodeBase(
  cache: string,
  request: ImageRequest,
): Promise<BuiltImage & { fresh: boolean }> {
  const full: ImageRequest = {
    ...request,
    uncompressed: true,
    basedOn: [nodeBaseKey(), ...(request.basedOn ?? [])],
    buildArgs: { ...request.buildArgs, NODE_IMAGE: nodeBaseName() },
  };
  return builtImage(cache, full, () => ensureNodeBase(cache));
}
