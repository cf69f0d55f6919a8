import { describe, expect, it } from "vitest";
import { installPlan, type Machine, missingNeeds } from "./debian.ts";

const missing = [
  { what: "runc", debianPackage: "runc" },
  { what: "/usr/lib/cni/bridge", debianPackage: "containernetworking-plugins" },
  { what: "/usr/lib/cni/portmap", debianPackage: "containernetworking-plugins" },
];
const debian: Machine = { isRoot: true, distribution: ["debian"], hasApt: true };

describe("installPlan", () => {
  it("does nothing when nothing is missing, whoever we are", () => {
    expect(installPlan([], { isRoot: false, distribution: ["arch"], hasApt: false })).toEqual({
      kind: "Nothing",
    });
  });

  it("installs each package once as root on Debian and what is like it", () => {
    const packages = ["containernetworking-plugins", "runc"];
    expect(installPlan(missing, debian)).toEqual({ kind: "Install", packages });
    expect(installPlan(missing, { ...debian, distribution: ["linuxmint", "ubuntu"] })).toEqual({
      kind: "Install",
      packages,
    });
  });

  it("says in one sentence what to run when we are not root", () => {
    expect(installPlan(missing, { ...debian, isRoot: false })).toEqual({
      kind: "Ask",
      sentence:
        "Packages are missing and only root may install them; run: sudo apt-get install --no-install-recommends containernetworking-plugins runc",
    });
  });

  it.each([
    ["another distribution", { ...debian, distribution: ["fedora"] }],
    ["a Debian without apt", { ...debian, hasApt: false }],
  ])("says in one sentence what is needed on %s", (_, machine) => {
    expect(installPlan(missing, machine)).toEqual({
      kind: "Ask",
      sentence:
        "This machine has no apt-get for Debian packages, so install by its own means what these need: /usr/lib/cni/bridge, /usr/lib/cni/portmap, runc (Debian's packages are called containernetworking-plugins, runc).",
    });
  });
});

describe("missingNeeds", () => {
  it("finds what stands neither on the PATH nor in the system's folders", () => {
    const found = missingNeeds(["images"], "/nonexistent").map((need) => need.what);
    expect(found).toContain("buildah");
    expect(missingNeeds(["images"], process.env.PATH ?? "").length).toBeLessThanOrEqual(found.length);
  });
});
