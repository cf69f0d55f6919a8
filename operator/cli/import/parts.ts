import { GROUP, KIND, VERSION } from "../../api/v1alpha1/llmbridge.ts";
import { lintManifest } from "../../api/v1alpha1/validate.ts";

/** Something of the old Deployment that the resource does not carry, and what to do about it. */
export interface Note {
  /** Where it stood: `env NODE_OPTIONS`, `container proxy`. */
  readonly about: string;
  /** One sentence or two: why, and what to write instead. */
  readonly message: string;
}

/** What was carried of a list, and what was not. */
export interface Carried<T> {
  readonly parts: readonly T[];
  readonly notes: readonly Note[];
}

const SMALLEST = { image: "x", upstreams: [{ name: "x", protocol: "OpenAI", url: "http://x" }] };

/**
 * What the resource would say of a bridge that had only this part, so that it is asked by its own rules and answers in its own words; undefined where it
 * takes it.
 */
export function refusalOf(part: object): string | undefined {
  const spec = { ...SMALLEST, ...part };
  const [issue] = lintManifest({
    apiVersion: `${GROUP}/${VERSION}`,
    kind: KIND,
    metadata: { name: "x" },
    spec,
  });
  return issue?.message;
}

/** Carries those that the resource takes, and says of each other one why it does not. */
export function carried<T>(
  all: readonly T[],
  part: (one: T) => object,
  about: (one: T) => string,
): Carried<T> {
  const asked = all.map((one) => ({ one, refusal: refusalOf(part(one)) }));
  return {
    parts: asked.filter(({ refusal }) => refusal === undefined).map(({ one }) => one),
    notes: asked.flatMap(({ one, refusal }) =>
      refusal === undefined ? [] : [{ about: about(one), message: refusal }],
    ),
  };
}

/** The same of a map. */
export function carriedMap(
  map: Readonly<Record<string, string>>,
  part: (map: Readonly<Record<string, string>>) => object,
  about: string,
): { readonly map: Readonly<Record<string, string>>; readonly notes: readonly Note[] } {
  const { parts, notes } = carried(
    Object.entries(map),
    ([key, value]) => part({ [key]: value }),
    ([key]) => `${about} ${key}`,
  );
  return { map: Object.fromEntries(parts), notes };
}
