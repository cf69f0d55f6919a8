import { describe, expect, it } from "vitest";
import { NODE_FLAGS, nodeFlag, takesFlag } from "./node-flags.ts";
import { nodeOptionsMessage } from "./rules/node-options.ts";
import { nodeOptions } from "./workload.ts";

describe("NODE_FLAGS", () => {
  it("names each flag once", () => {
    const flags = NODE_FLAGS.map(({ flag }) => flag);
    expect(flags.filter((flag, index) => flags.indexOf(flag) < index)).toEqual([]);
  });

  it("names typed fields that exist", () => {
    const fields = Object.keys(nodeOptions.unwrap().shape);
    for (const known of NODE_FLAGS) if ("field" in known) expect(fields).toContain(known.field);
  });

  it.each(["--max-old-space-size=450", "--max_old_space_size=450", "--max-old-space-size"])(
    "finds %s",
    (token) => {
      expect(nodeFlag(token)).toMatchObject({ field: "maxOldSpaceMiB" });
    },
  );
});

describe("takesFlag", () => {
  it.each([
    ["24", false],
    ["24.14", false],
    ["24.15", true],
    ["24.15.3", true],
    ["25.8", false],
    ["25.9", true],
    ["26", true],
    ["22.23", false],
  ])("--max-heap-size on %s: %s", (version, taken) => {
    expect(takesFlag(version, ["24.15", "25.9", "26.0"])).toBe(taken);
  });
});

it("nodeOptionsMessage speaks of every flag of a line", () => {
  expect(nodeOptionsMessage("--max-old-space-size=450 --gc-interval=100 --optimize-for-size")).toBe(
    [
      "NODE_OPTIONS cannot be set here, because the operator renders it from typed fields.",
      "--max-old-space-size: write spec.tuning.nodeOptions.maxOldSpaceMiB: 450.",
      "--gc-interval=100: Node refuses it in NODE_OPTIONS and the process exits with 9; leave it out.",
      "--optimize-for-size: Node refuses it in NODE_OPTIONS and the process exits with 9; leave it out.",
    ].join(" "),
  );
});
