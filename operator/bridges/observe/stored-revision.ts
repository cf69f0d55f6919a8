import * as z from "zod";
import { bridgeConfig, type RuntimeConfig, runtimeConfig } from "../../../contract/config.ts";
import { FILES } from "../../../contract/endpoints.ts";
import { CONTENTS_KEY, SPEC_KEY, TEMPLATE_KEY } from "../desired/configmaps.ts";
import type { ChildObject } from "../plan.ts";

/** What the immutable ConfigMap of a revision says; what cannot be read is undefined. */
export type FixedPart = ReturnType<typeof readFixed>;

type Data = Readonly<Record<string, string>> | undefined;

const deploymentShape = z.looseObject({
  kind: z.literal("Deployment"),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  spec: z.looseObject({}),
});

function json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const textMap = z.record(z.string(), z.string());
/** What stands for the content of others that a revision keeps, and the names of its copies of Secrets. */
const storedContents = z.object({
  configMaps: textMap.optional(),
  secrets: textMap.optional(),
  copies: textMap.optional(),
});
export type StoredContents = z.infer<typeof storedContents>;

/** Reads it from the revision's immutable ConfigMap; undefined where the revision keeps none, or its maker did not say. */
export const readContents = (data: Data): StoredContents | undefined =>
  storedContents.safeParse(json(data?.[CONTENTS_KEY])).data;

/** With what a newer version has added: without it the file could not be read, and its generations would begin anew. */
const storedConfig = bridgeConfig.loose();
const storedRuntime = runtimeConfig.extend({ drain: runtimeConfig.shape.drain.loose() }).loose();

/** The rest of it is the API server's to check. */
const renderedDeployment = (value: unknown): ChildObject | undefined =>
  deploymentShape.safeParse(value).success ? (value as ChildObject) : undefined;

/** Its configuration file, its Deployment as it was rendered, the part of the spec that it was made from, and what of others it keeps. */
export function readFixed(data: Data) {
  return {
    config: storedConfig.safeParse(json(data?.[FILES.config])).data,
    rendered: renderedDeployment(json(data?.[TEMPLATE_KEY])),
    spec: z.looseObject({}).safeParse(json(data?.[SPEC_KEY])).data,
    contents: readContents(data),
  };
}

export const readRuntime = (data: Data): RuntimeConfig | undefined =>
  storedRuntime.safeParse(json(data?.[FILES.runtime])).data;
