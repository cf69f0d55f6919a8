import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { isAbsolute, join } from "node:path";
import { cacheKey, fileParts } from "../../tools/setup/cache.ts";
import { withLock } from "../cluster/lock.ts";
import { buildah } from "./buildah.ts";
import { archiveSizes, type ImageSizes } from "./sizes.ts";

export interface ImageRequest {
  /** Repository and tag, for example `llmbridge/bridge:dev`; pods use the same words. */
  readonly name: string;
  /** Absolute path of the Dockerfile. */
  readonly dockerfile: string;
  /** The stage to build; the last one when absent. */
  readonly target?: string;
  /** Absolute path of the folder that COPY reads from. */
  readonly context: string;
  /** Files and folders, relative to the context, that decide what the image is; the whole context when absent. */
  readonly inputs?: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** Files given to RUN by `--mount=type=secret,id=...`: id and absolute path. They are no input of the image. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** What else decides the image, for example the {@link BuiltImage.id} of the image that it is built on. */
  readonly basedOn?: readonly string[];
  /** Leaves the archive uncompressed, for images whose size nobody asks for: compressing is most of what their build takes. */
  readonly uncompressed?: boolean;
}

export interface BuiltImage {
  readonly name: string;
  /** Changes whenever an input changes. */
  readonly id: string;
  /** OCI archive that containerd imports. */
  readonly archive: string;
  /** Absent where the archive is not compressed. */
  readonly sizes?: ImageSizes;
}

const KEPT_BUILDS = 2;
const IGNORED = /(^|\/)(node_modules|\.git|dist)(\/|$)|\.test\.ts$/;

/** The image's id: what it would be built from, hashed. */
export function imageId(request: ImageRequest): string {
  const parts = fileParts(request.context, request.inputs ?? ["."], { keep: (path) => !IGNORED.test(path) });
  return cacheKey([
    request.name,
    readFileSync(request.dockerfile, "utf8"),
    request.target ?? "",
    JSON.stringify(request.buildArgs ?? {}),
    request.uncompressed === true ? "uncompressed" : "compressed",
    ...(request.basedOn ?? []),
    ...parts,
  ]);
}

/** The image of exactly these inputs, if it was built before. */
export function cachedImage(cache: string, request: ImageRequest): BuiltImage | undefined {
  const { archive, record } = paths(cache, request.name, imageId(request));
  if (!existsSync(record) || !existsSync(archive)) return undefined;
  return JSON.parse(readFileSync(record, "utf8")) as BuiltImage;
}

/** Builds the image, whether or not it is cached, and remembers it for {@link cachedImage}. */
export async function buildImage(cache: string, request: ImageRequest): Promise<BuiltImage> {
  const id = imageId(request);
  const { folder, archive, record } = paths(cache, request.name, id);
  mkdirSync(folder, { recursive: true });
  await buildah(cache, [...buildArguments(request, id), request.context]);
  const partial = `${archive}.partial`;
  rmSync(partial, { force: true });
  await buildah(cache, [
    "push",
    "--quiet",
    ...(request.uncompressed === true ? ["--disable-compression"] : []),
    localName(request.name),
    `oci-archive:${partial}:${fullName(request.name)}`,
  ]);
  const sizes = request.uncompressed === true ? {} : { sizes: await archiveSizes(partial) };
  const image: BuiltImage = { name: request.name, id, archive, ...sizes };
  renameSync(partial, archive);
  writeFileSync(record, JSON.stringify(image));
  await forgetOlder(cache, request.name);
  return image;
}

/**
 * {@link cachedImage}, or else {@link buildImage} once `prepare` has put the bases into the store. One build at a time: two would write the same archive,
 * and look for bases in a store that the other is cleaning. `fresh`: it was built now.
 */
export async function builtImage(
  cache: string,
  request: ImageRequest,
  prepare: () => Promise<void> = async () => {},
): Promise<BuiltImage & { fresh: boolean }> {
  const cached = cachedImage(cache, request);
  if (cached !== undefined) return { ...cached, fresh: false };
  return withLock({ path: join(cache, "images.lock"), doing: "building an image" }, async () => {
    const built = cachedImage(cache, request);
    if (built !== undefined) return { ...built, fresh: false };
    await prepare();
    return { ...(await buildImage(cache, request)), fresh: true };
  });
}

interface ImagePaths {
  readonly folder: string;
  readonly stem: string;
  readonly archive: string;
  readonly record: string;
}

function paths(cache: string, name: string, id: string): ImagePaths {
  const folder = join(cache, "images");
  const stem = name.replaceAll(/[^\w.-]+/g, "_");
  return {
    folder,
    stem,
    archive: join(folder, `${stem}-${id}.tar`),
    record: join(folder, `${stem}-${id}.json`),
  };
}

/** The name under which a Dockerfile names exactly this image as its base. */
export function baseName(image: Pick<BuiltImage, "name" | "id">): string {
  return `${repository(image.name)}:${image.id}`;
}

/** Whether the store holds an image; an archive in the cache says nothing about that. */
export async function isStored(cache: string, name: string): Promise<boolean> {
  const found = await buildah(cache, ["images", "--quiet", "--filter", `reference=${localName(name)}`]);
  return found.trim() !== "";
}

function buildArguments(request: ImageRequest, id: string): string[] {
  const dockerfile = isAbsolute(request.dockerfile)
    ? request.dockerfile
    : join(request.context, request.dockerfile);
  return [
    ...["bud", "--isolation", "chroot", "--layers", "--pull-never", "--quiet"],
    ...["--file", dockerfile, "--tag", localName(request.name)],
    ...["--tag", localName(baseName({ name: request.name, id }))],
    ...(request.target === undefined ? [] : ["--target", request.target]),
    ...Object.entries(request.buildArgs ?? {}).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
    ...Object.entries(request.secrets ?? {}).flatMap(([id, path]) => ["--secret", `id=${id},src=${path}`]),
  ];
}

/** Older builds of an image go, but for the one before, so that switching between two branches stays quick. */
async function forgetOlder(cache: string, name: string): Promise<void> {
  const { folder, stem } = paths(cache, name, "");
  const age = (file: string): number => statSync(join(folder, file)).mtimeMs;
  const records = readdirSync(folder).filter((file) => file.startsWith(`${stem}-`) && file.endsWith(".json"));
  for (const record of records.sort((left, right) => age(right) - age(left)).slice(KEPT_BUILDS)) {
    const id = record.slice(stem.length + 1, -".json".length);
    rmSync(join(folder, record), { force: true });
    rmSync(join(folder, `${stem}-${id}.tar`), { force: true });
    const stored = baseName({ name, id });
    if (await isStored(cache, stored)) await buildah(cache, ["rmi", "--force", localName(stored)]);
  }
}

function repository(name: string): string {
  return name.slice(0, name.lastIndexOf(":"));
}

export function localName(name: string): string {
  return `localhost/${name}`;
}

/** The name that containerd gives to what a pod calls `name`. */
function fullName(name: string): string {
  return `docker.io/${name}`;
}
