import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "./command.ts";

/** Something a part of the set-up runs, and the Debian package that brings it. */
export interface Need {
  /** A command looked for on the PATH, or an absolute path. */
  readonly what: string;
  readonly debianPackage: string;
}

export type NeedGroup = "cluster" | "images" | "backends" | "shells" | "go";

const NEEDS: Readonly<Record<NeedGroup, readonly Need[]>> = {
  cluster: [
    { what: "containerd", debianPackage: "containerd" },
    { what: "runc", debianPackage: "runc" },
    { what: "/usr/lib/cni/bridge", debianPackage: "containernetworking-plugins" },
    { what: "nft", debianPackage: "nftables" },
    { what: "iptables", debianPackage: "iptables" },
    { what: "conntrack", debianPackage: "conntrack" },
    { what: "ip", debianPackage: "iproute2" },
    { what: "openssl", debianPackage: "openssl" },
    { what: "nsenter", debianPackage: "util-linux" },
  ],
  images: [
    { what: "buildah", debianPackage: "buildah" },
    { what: "busybox", debianPackage: "busybox-static" },
    { what: "npm", debianPackage: "npm" },
    { what: "/etc/ssl/certs/ca-certificates.crt", debianPackage: "ca-certificates" },
  ],
  go: [{ what: "pip3", debianPackage: "python3-pip" }],
  backends: [
    { what: "redis-server", debianPackage: "redis-server" },
    { what: "/usr/lib/postgresql", debianPackage: "postgresql" },
  ],
  // What the plugin writes completion scripts for, beside bash.
  shells: [
    { what: "zsh", debianPackage: "zsh" },
    { what: "fish", debianPackage: "fish" },
  ],
};

export interface Machine {
  readonly isRoot: boolean;
  /** The `ID` and `ID_LIKE` words of /etc/os-release. */
  readonly distribution: readonly string[];
  readonly hasApt: boolean;
}

export type InstallPlan =
  | { readonly kind: "Nothing" }
  | { readonly kind: "Install"; readonly packages: readonly string[] }
  | { readonly kind: "Ask"; readonly sentence: string };

/** Decides what to do about what is missing: nothing, install it, or say in one sentence what a person must install. */
export function installPlan(missing: readonly Need[], machine: Machine): InstallPlan {
  if (missing.length === 0) return { kind: "Nothing" };
  const packages = [...new Set(missing.map((need) => need.debianPackage))].sort();
  const isDebian = machine.hasApt && machine.distribution.some((id) => id === "debian" || id === "ubuntu");
  if (isDebian && machine.isRoot) return { kind: "Install", packages };
  if (isDebian) {
    return {
      kind: "Ask",
      sentence: `Packages are missing and only root may install them; run: sudo apt-get install --no-install-recommends ${packages.join(" ")}`,
    };
  }
  const commands = missing.map((need) => need.what).sort();
  return {
    kind: "Ask",
    sentence: `This machine has no apt-get for Debian packages, so install by its own means what these need: ${commands.join(", ")} (Debian's packages are called ${packages.join(", ")}).`,
  };
}

/** The needs of the given groups that this machine does not fulfil. */
export function missingNeeds(groups: readonly NeedGroup[], path: string): Need[] {
  const folders = [...path.split(delimiter), "/usr/sbin", "/sbin"];
  const present = (what: string): boolean =>
    what.startsWith("/") ? existsSync(what) : folders.some((folder) => isExecutable(join(folder, what)));
  return groups.flatMap((group) => NEEDS[group]).filter((need) => !present(need.what));
}

/** Reads who we are and what this machine is. */
export function thisMachine(): Machine {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const words = [...release.matchAll(/^(?:ID|ID_LIKE)="?([^"\n]*)"?$/gm)].flatMap((match) =>
    (match[1] ?? "").split(" "),
  );
  return { isRoot: process.getuid?.() === 0, distribution: words, hasApt: existsSync("/usr/bin/apt-get") };
}

const POLICY = "/usr/sbin/policy-rc.d";
const POLICY_TEXT =
  "#!/bin/sh\n# llmbridge set-up: packages are installed without starting their services\nexit 101\n";

/** Installs Debian packages without starting any service they bring. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const ours = !existsSync(POLICY) || readFileSync(POLICY, "utf8") === POLICY_TEXT;
  if (ours) writeFileSync(POLICY, POLICY_TEXT, { mode: 0o755 });
  try {
    await run(["apt-get", "update", "-qq"], { env });
    await run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...packages], { env });
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
