import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { sharedLibraries, writeRootFolder } from "../../tools/rootfs.ts";
import { cacheKey } from "../../tools/setup/cache.ts";
import { run } from "../../tools/setup/command.ts";
import { buildah } from "./buildah.ts";

const CHECKOUT = resolve(import.meta.dirname, "../..");
const DOCKERFILE = join(import.meta.dirname, "node-base.Dockerfile");
/** The npm of Node 24. */
const NPM = "npm@11";
/** Raise it when this file makes another base of the same parts. */
const REVISION = "3";
const KEY_LABEL = "dev.llmbridge.stand-in";

/** What the Dockerfile's `NODE_IMAGE` stands for on this machine, in words for people. */
export const STAND_IN_NOTE = `built from scratch with Node ${process.versions.node} of the npm package and Debian's libraries, standing in for the public Node image`;

/** The default of `ARG NODE_IMAGE` in the product's Dockerfile. */
export function nodeImageName(): string {
  const match = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(CHECKOUT, "Dockerfile"), "utf8"));
  if (match?.[1] === undefined) throw new Error("Dockerfile: it has no line ARG NODE_IMAGE=<image>");
  return match[1];
}

/** Changes when the stand-in would be another one. */
export function nodeBaseKey(): string {
  return cacheKey([REVISION, nodeImageName(), process.versions.node, NPM, readFileSync(DOCKERFILE, "utf8")]);
}

/** The base as the store holds it. */
export const nodeBaseName = (): string => `docker.io/library/${nodeImageName()}`;

/** Makes sure that the store holds a base under the name that the Dockerfile asks for, so that it builds unchanged. */
export async function ensureNodeBase(cache: string): Promise<void> {
  const name = nodeBaseName();
  const key = nodeBaseKey();
  if ((await storedKey(cache, name)) === key) return;
  const context = join(cache, "node-base");
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context, { recursive: true });
  const root = join(context, "root");
  writeRootFolder(root);
  // busybox puts its commands only into folders that exist.
  for (const folder of ["bin", "sbin", "usr/bin", "usr/sbin", "root"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const library of libcRest()) copyFileSync(library, place(root, library));
  copyFileSync(commandPath("busybox"), place(root, "/bin/busybox"));
  chmodSync(join(root, "bin/busybox"), 0o755);
  // npm in the build has to trust what this machine trusts.
  copyFileSync("/etc/ssl/certs/ca-certificates.crt", place(root, "/etc/ssl/certs/ca-certificates.crt"));
  await unpackNpm(context, root);
  await buildah(cache, [
    "bud",
    "--isolation",
    "chroot",
    "--quiet",
    "--label",
    `${KEY_LABEL}=${key}`,
    "--file",
    DOCKERFILE,
    "--tag",
    name,
    context,
  ]);
  rmSync(context, { recursive: true, force: true });
}

/** Parts of the C library that Node itself does not load but native packages may. */
function libcRest(): string[] {
  const libc = sharedLibraries().find((path) => path.endsWith("/libc.so.6"));
  if (libc === undefined) throw new Error("this Node does not run on the GNU C library");
  const names = ["librt.so.1", "libresolv.so.2", "libutil.so.1", "libnss_dns.so.2", "libnss_files.so.2"];
  return names.map((name) => join(dirname(libc), name)).filter(existsSync);
}

async function storedKey(cache: string, name: string): Promise<string | undefined> {
  try {
    const format = `{{index .OCIv1.Config.Labels "${KEY_LABEL}"}}`;
    return (await buildah(cache, ["inspect", "--type", "image", "--format", format, name])).trim();
  } catch {
    return undefined; // not in the store
  }
}

async function unpackNpm(context: string, root: string): Promise<void> {
  await run(["npm", "pack", NPM, "--silent", "--pack-destination", context]);
  const archive = readdirSync(context).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error(`npm pack ${NPM} wrote no archive to ${context}`);
  const folder = place(root, "/usr/local/lib/node_modules/npm/package.json").replace(/\/package\.json$/, "");
  await run(["tar", "-xzf", join(context, archive), "--strip-components=1", "-C", folder]);
  for (const command of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${command}-cli.js`, place(root, `/usr/local/bin/${command}`));
    chmodSync(join(folder, `bin/${command}-cli.js`), 0o755);
  }
}

function place(root: string, path: string): string {
  const full = join(root, path);
  mkdirSync(resolve(full, ".."), { recursive: true });
  return full;
}

function commandPath(name: string): string {
  const folder = (process.env.PATH ?? "").split(delimiter).find((entry) => existsSync(join(entry, name)));
  if (folder === undefined) throw new Error(`${name} is not on the PATH`);
  return join(folder, name);
}
