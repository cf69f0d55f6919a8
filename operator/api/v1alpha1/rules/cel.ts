import { celString } from "../../schema/validations.ts";
import { KINDS, type KindName } from "../kinds.ts";

/**
 * Pieces of CEL. A rule that computes with text must first ask whether the text is of its kind: the kind's own rule already reports
 * text that is not, and an evaluation error beside it would only confuse.
 */
export const isOfKind = (kind: KindName, path: string) => `${path}.matches(r'${KINDS[kind].pattern}')`;
/** "0.5%" as 0.5. */
export const percentOf = (path: string) => `double(${path}.replace('%', ''))`;
export const bytesOf = (path: string) => `quantity(${path}).asApproximateFloat()`;
/** A list literal of strings. */
export const celList = (texts: readonly string[]) => `[${texts.map(celString).join(", ")}]`;

/**
 * A sentence with CEL expressions in it, as `format` writes them. Concatenation would need sizes that the API server's estimate does not
 * know for numbers, and its cost would be taken as unbounded.
 */
export function sentence(texts: TemplateStringsArray, ...expressions: readonly (string | number)[]): string {
  const format = texts.map((text) => text.replaceAll("%", "%%")).join("%s");
  return `${celString(format)}.format([${expressions.join(", ")}])`;
}

export { celString };
