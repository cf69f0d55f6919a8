import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { revisionHash } from "./revision.ts";
import { parseRevisionSpec, restored, revisionSpec } from "./revision-spec.ts";
import { BASE, DECIDES_ONLY, MUTATIONS, specWith } from "./testing/fields.ts";

const base = llmBridgeSpec.parse(BASE);
const readable = MUTATIONS.flatMap((mutation) => {
  const parsed = llmBridgeSpec.safeParse(specWith(mutation));
  return parsed.success ? [{ path: mutation.path, spec: parsed.data }] : [];
});

describe("a revision's part of the spec", () => {
  it.each(readable.filter(({ path }) => !DECIDES_ONLY.test(path)))(
    "brings $path back as it was",
    ({ spec }) => {
      const kept = parseRevisionSpec(JSON.parse(JSON.stringify(revisionSpec(base))));
      if (!kept) throw new Error("it cannot be read back");
      expect(revisionHash(restored(spec, kept))).toBe(revisionHash(base));
    },
  );

  it("leaves alone what only decides", () => {
    const now = {
      ...base,
      replicas: 7,
      alerts: [],
      pools: {
        ...base.pools,
        postgres: base.pools.postgres && { ...base.pools.postgres, backendConnections: 77 },
      },
    };
    const back = restored({ ...now, image: "another:1" }, revisionSpec(base));
    expect(back).toMatchObject({
      image: base.image,
      replicas: 7,
      alerts: [],
      pools: { postgres: { backendConnections: 77 } },
    });
  });

  it("cannot be read where it is not one", () => {
    expect(parseRevisionSpec({ image: 7 })).toBeUndefined();
  });
});
