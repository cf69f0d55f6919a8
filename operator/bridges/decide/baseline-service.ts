import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { baselineService } from "../names.ts";
import type { Snapshot } from "../snapshot.ts";

/** Whether the spec asks for baselines behind a gateway, which leads to them by a Service of their own. */
export const asksForBaselineService = ({
  baseline,
  traffic,
}: Pick<LLMBridgeSpec["rollout"], "baseline" | "traffic">): boolean =>
  baseline === "SameAge" && traffic.router === "Gateway";

/**
 * Whether the bridge has that Service. It stays for as long as the bridge does, selecting the stable version where there is no baseline: a route of the
 * user's may name it, and the operator has no right to delete Services.
 */
export const hasBaselineService = (
  { bridge, children }: Pick<Snapshot, "bridge" | "children">,
  rollout: Pick<LLMBridgeSpec["rollout"], "baseline" | "traffic"> | undefined,
): boolean =>
  (rollout !== undefined && asksForBaselineService(rollout)) ||
  children.some(
    ({ resource, object }) =>
      resource === "services" && object.metadata.name === baselineService(bridge.name),
  );
