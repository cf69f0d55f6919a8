import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { baseName, builtImage, cachedImage, type ImageRequest, imageId } from "./build-image.ts";
import { nodeImageName } from "./node-base.ts";
import { productRequest } from "./product.ts";

let context: string;
let request: ImageRequest;
beforeEach(() => {
  context = mkdtempSync(join(tmpdir(), "llmbridge-image-"));
  mkdirSync(join(context, "src"));
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nCOPY src /src\n");
  writeFileSync(join(context, "src/main.ts"), "1");
  writeFileSync(join(context, "notes.md"), "about");
  request = { name: "llmbridge/x:dev", dockerfile: join(context, "Dockerfile"), context, inputs: ["src"] };
});
afterEach(() => rmSync(context, { recursive: true }));

function written(file: string, text: string): ImageRequest {
  writeFileSync(join(context, file), text);
  return request;
}

describe("an image's id", () => {
  it.each<[string, () => ImageRequest]>([
    ["an input", () => written("src/main.ts", "2")],
    ["a new file", () => written("src/other.ts", "")],
    ["the Dockerfile", () => written("Dockerfile", "FROM scratch\n")],
    ["the stage", () => ({ ...request, target: "other" })],
    ["a build argument", () => ({ ...request, buildArgs: { A: "1" } })],
    ["the image below", () => ({ ...request, basedOn: ["abc"] })],
    ["no compression", () => ({ ...request, uncompressed: true })],
    ["the name", () => ({ ...request, name: "llmbridge/y:dev" })],
  ])("changes with %s", (_, change) => {
    const before = imageId(request);
    expect(imageId(change())).not.toBe(before);
  });

  it.each([
    ["a test", "src/main.test.ts"],
    ["a file that is no input", "notes.md"],
  ])("does not change with %s", (_, file) => {
    const before = imageId(request);
    writeFileSync(join(context, file), "changed");
    expect(imageId(request)).toBe(before);
  });
});

describe("names", () => {
  it("a base is named by repository and id", () => {
    expect(baseName({ name: "llmbridge/bridge:dev", id: "0123" })).toBe("llmbridge/bridge:0123");
  });

  it("the Node base is the one that the Dockerfile asks for", () => {
    expect(nodeImageName()).toMatch(/^node:24\b/);
  });
});

it("nothing is cached that was not built", () => {
  expect(cachedImage(context, request)).toBeUndefined();
});

it("the bridge's image does not change with the operator's sources, nor the other way round", () => {
  expect(productRequest("bridge").inputs).not.toContain("operator");
  expect(productRequest("operator").inputs).not.toContain("bridge");
});

/** Stands for buildah in a mount namespace: notes what it is asked for, and writes the archive that is to be pushed. */
const BUILDAH = `#!/bin/sh
echo "$*" >> "$ASKED"
for word in "$@"; do case "$word" in oci-archive:*) archive=\${word#oci-archive:}; : > "\${archive%%:*}";; esac; done
`;

it("is built once by all who want it first at the same time", async () => {
  const asked = join(context, "asked");
  writeFileSync(join(context, "unshare"), BUILDAH);
  chmodSync(join(context, "unshare"), 0o755);
  vi.stubEnv("PATH", `${context}:${process.env.PATH}`);
  vi.stubEnv("ASKED", asked);
  try {
    const wanted = { ...request, uncompressed: true };
    const cache = join(context, "cache");
    const built = await Promise.all([1, 2, 3].map(() => builtImage(cache, wanted)));
    const image = cachedImage(cache, wanted);
    expect(built).toEqual([true, false, false].map((fresh) => ({ ...image, fresh })));
    expect(readFileSync(asked, "utf8").match(/ bud /g)).toHaveLength(1);
  } finally {
    vi.unstubAllEnvs();
  }
});
