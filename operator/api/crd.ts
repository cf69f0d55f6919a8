import { PRINTER_COLUMNS } from "./schema/columns.ts";
import { type StructuralSchema, structuralSchema, withoutDefaults } from "./schema/structural.ts";
import { withKindRules, withRules } from "./schema/validations.ts";
import { GROUP, KIND, NAME_SCHEMA_MAX_LENGTH, PLURAL, VERSION } from "./v1alpha1/llmbridge.ts";
import { RULES } from "./v1alpha1/rules/index.ts";
import { llmBridgeSpec } from "./v1alpha1/spec.ts";
import { llmBridgeStatus } from "./v1alpha1/status.ts";

/** Name of the CustomResourceDefinition object. */
const CRD_NAME = `${PLURAL}.${GROUP}`;

/** The schema of v1alpha1 as the API server holds it: fields, bounds, defaults and CEL rules. */
function openAPISchema(): StructuralSchema {
  return withRules(
    withKindRules(fieldSchema()),
    RULES.map(({ path, validation }) => ({ path, validation })),
  );
}

/** Fields, bounds and defaults alone, with the kinds of text still named; the reference is written from it. */
export function fieldSchema(): StructuralSchema {
  return {
    type: "object",
    description: "An LLM bridge: tuned Node pods whose every change is proved by a canary.",
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: "llmbridge.dev/v1alpha1" },
      kind: { type: "string", description: KIND },
      // The bound is the API server's own; it is repeated because the cost of rules on the name is estimated by it.
      metadata: {
        type: "object",
        properties: { name: { type: "string", maxLength: NAME_SCHEMA_MAX_LENGTH } },
      },
      spec: structuralSchema(llmBridgeSpec),
      status: statusSchema(),
    },
  };
}

/**
 * The operator alone writes status, and noting an owner for each of its fields would be a tenth of what an LLMBridge is stored as. Conditions keep
 * an owner each, as Kubernetes has it everywhere, so that others may add their own.
 */
function statusSchema(): StructuralSchema {
  const { properties = {}, ...rest } = withoutDefaults(structuralSchema(llmBridgeStatus));
  const parts = Object.entries(properties).map(([name, part]) => [name, ownedAsWhole(part)]);
  return { ...rest, properties: Object.fromEntries(parts) };
}

const ownedAsWhole = (part: StructuralSchema): StructuralSchema =>
  part.type === "object" ? { ...part, "x-kubernetes-map-type": "atomic" } : part;

/** The CustomResourceDefinition: one version, served and stored, with status and scale subresources. */
export function customResourceDefinition() {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: CRD_NAME },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: KIND,
        listKind: `${KIND}List`,
        plural: PLURAL,
        singular: KIND.toLowerCase(),
        shortNames: ["llmb"],
        categories: ["llmbridge"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: PRINTER_COLUMNS,
          schema: { openAPIV3Schema: openAPISchema() },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: ".spec.replicas",
              statusReplicasPath: ".status.replicas",
              labelSelectorPath: ".status.selector",
            },
          },
        },
      ],
    },
  };
}
