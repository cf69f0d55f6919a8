import type * as z from "zod";

/** A check of a list that is addressed by name; `place` is where it stands below what is checked. */
export function namesDiffer(what: string, place: readonly string[] = []) {
  return (all: readonly { readonly name: string }[], context: z.RefinementCtx): void => {
    all.forEach(({ name: given }, index) => {
      if (all.findIndex((other) => other.name === given) < index) {
        const message = `there is another ${what} named ${JSON.stringify(given)}; names must differ`;
        context.addIssue({ code: "custom", path: [...place, index, "name"], message });
      }
    });
  };
}
