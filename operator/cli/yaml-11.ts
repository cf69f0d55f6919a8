import { type Document, type Scalar, visit } from "yaml";

/** Booleans of YAML 1.1 that YAML 1.2 reads as text. */
const BOOLEAN = /^(y|n|yes|no|on|off)$/i;
const INTEGER = /^([-+]?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0[0-7]*|[1-9][0-9]*)$/i;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?$/i;

/** Turns plain values into what kubectl would send: it reads YAML 1.1 (go-yaml v2), where `Off` is a boolean, 010 is 8 and 1_000 a number. */
export function readAsYaml11(document: Document.Parsed): void {
  visit(document, {
    Scalar(key, node: Scalar) {
      if (key === "key" || node.type !== "PLAIN" || node.tag !== undefined) return;
      const text = node.source ?? "";
      if (BOOLEAN.test(text)) node.value = /^(y|yes|on)$/i.test(text);
      else node.value = numberOf(text) ?? node.value;
    },
  });
}

function numberOf(text: string): number | undefined {
  if (!/^[-+0-9]/.test(text)) return undefined;
  const plain = text.replaceAll("_", "");
  const [, sign, digits = ""] = INTEGER.exec(plain) ?? [];
  if (sign !== undefined) {
    const size = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
    return sign === "-" ? -size : size;
  }
  return FLOAT.test(plain) ? Number(plain) : undefined;
}
