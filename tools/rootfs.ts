import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { rootCertificates } from "node:tls";

/** The user that images run as; the number is the one that minimal base images commonly use. */
const NON_ROOT = 65532;

/**
 * Writes the root folder of a minimal image: the running Node, the shared libraries that it has loaded, and the few
 * files that a program without a distribution misses. No shell, no package tool.
 */
export function writeRootFolder(target: string): void {
  const put = (path: string): string => {
    const place = join(target, path);
    mkdirSync(dirname(place), { recursive: true });
    return place;
  };
  copyFileSync(process.execPath, put("/usr/local/bin/node"));
  chmodSync(put("/usr/local/bin/node"), 0o755);
  for (const library of sharedLibraries()) copyFileSync(library, put(library));
  writeFileSync(
    put("/etc/passwd"),
    `root:x:0:0:root:/:/sbin/nologin\nnonroot:x:${NON_ROOT}:${NON_ROOT}:nonroot:/:/sbin/nologin\n`,
  );
  writeFileSync(put("/etc/group"), `root:x:0:\nnonroot:x:${NON_ROOT}:\n`);
  writeFileSync(put("/etc/nsswitch.conf"), "hosts: files dns\n");
  // Where --use-system-ca and other programs look; Node itself carries the same list.
  writeFileSync(put("/etc/ssl/certs/ca-certificates.crt"), `${rootCertificates.join("\n")}\n`);
  mkdirSync(join(target, "tmp"), { recursive: true });
  chmodSync(join(target, "tmp"), 0o1777);
}

/** Absolute paths of the libraries in this process; the kernel's own (`linux-vdso`) has none. */
export function sharedLibraries(): string[] {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return report.sharedObjects.filter(isAbsolute);
}

if (import.meta.main) {
  const target = process.argv[2];
  if (target === undefined) {
    process.stderr.write("usage: node tools/rootfs.ts FOLDER\n");
    process.exitCode = 2;
  } else {
    writeRootFolder(target);
  }
}
