import { customResourceDefinition } from "../../operator/api/crd.ts";
import type { BridgeApi, Crd } from "../conformance/bridge-api.ts";
import { smallestBridge } from "../conformance/bridge-objects.ts";
import { until } from "../kube/until.ts";

interface WithFields {
  readonly properties: Readonly<Record<"spec" | "status", { readonly properties: Record<string, object> }>>;
}

/** The CRD as a next version might bring it: an optional field, one with a default, a column, and an owner noted for each field of status. */
export function nextCrd(): Crd {
  const crd = structuredClone(customResourceDefinition());
  for (const version of crd.spec.versions) {
    const { spec, status } = (version.schema.openAPIV3Schema as unknown as WithFields).properties;
    spec.properties.tomorrow = { type: "string" };
    spec.properties.everAfter = { type: "string", default: "yes" };
    for (const part of Object.values(status.properties))
      Reflect.deleteProperty(part, "x-kubernetes-map-type");
    version.additionalPrinterColumns = [
      ...version.additionalPrinterColumns,
      { name: "Tomorrow", type: "string", jsonPath: ".spec.tomorrow", description: "A field of tomorrow." },
    ];
  }
  return crd;
}

/** Replaces the CRD and waits until the API server goes by it. */
export async function replaceCrd(api: BridgeApi, crd: Crd): Promise<void> {
  const hasTomorrow = JSON.stringify(crd).includes('"tomorrow"');
  const { spec, ...probe } = smallestBridge("probe");
  await api.installCrd(crd);
  await until("the API server to go by the CRD", async () => {
    const refusals = await api.create({ ...probe, spec: { ...spec, tomorrow: "x" } });
    return (refusals.length === 0) === hasTomorrow;
  });
}
