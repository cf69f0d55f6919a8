import * as z from "zod";

/** The field names that an object at a path may have; none where it is a map of text. */
export function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let node: z.ZodType | undefined = unwrap(schema);
  for (const segment of path) {
    node = node && child(node, segment);
    node = node && unwrap(node);
  }
  return node instanceof z.ZodObject ? Object.keys(node.shape) : [];
}

function child(node: z.ZodType, segment: PropertyKey): z.ZodType | undefined {
  if (node instanceof z.ZodArray) return node.element as z.ZodType;
  if (node instanceof z.ZodObject) return node.shape[String(segment)] as z.ZodType | undefined;
  return undefined;
}

function unwrap(schema: z.ZodType): z.ZodType {
  let node = schema;
  while (node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault) {
    node = node.unwrap() as z.ZodType;
  }
  return node;
}
