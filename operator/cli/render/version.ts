import type { VersionStatus } from "../../api/v1alpha1/status.ts";

/** The part of an image that tells versions apart: the tag, or the beginning of the digest. */
export function imageVersion(image: string): string {
  const digest = image.split("@sha256:")[1];
  if (digest !== undefined) return digest.slice(0, 12);
  const last = image.slice(image.lastIndexOf("/") + 1);
  return last.includes(":") ? last.slice(last.indexOf(":") + 1) : last;
}

/** "7c9f21 (1.4.0)". */
export function versionText(version: VersionStatus | undefined): string {
  return version === undefined ? "-" : `${version.revision} (${imageVersion(version.image)})`;
}
