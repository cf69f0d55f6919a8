import { LABELS } from "../../../contract/kubernetes.ts";
import { revisionName, runtimeName } from "../names.ts";
import type { ChildObject } from "../plan.ts";

type Labels = Readonly<Record<string, string>>;

/** The parts of a rendered Deployment that name its revision. */
interface Rendered extends ChildObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly topologySpreadConstraints?: readonly {
          readonly labelSelector?: { readonly matchLabels: Labels };
        }[];
        readonly volumes?: readonly { readonly configMap?: { readonly name?: string } }[];
      };
    };
  };
}

/**
 * The Deployment of a baseline: that of the stable version as it was once rendered, whatever this version of the operator would render, but for its name,
 * its revision label and its own two ConfigMaps. Copies of the user's ConfigMaps are shared with the stable version.
 * @throws TypeError where the rendered Deployment lacks what every one of ours has
 */
export function baselineDeployment(
  rendered: ChildObject,
  {
    bridge,
    stable,
    baseline,
  }: { readonly bridge: string; readonly stable: string; readonly baseline: string },
): ChildObject {
  const { metadata, spec } = rendered as Rendered;
  const relabelled = (labels: Labels): Labels => ({ ...labels, [LABELS.revision]: baseline });
  const files = new Map([
    [revisionName(bridge, stable), revisionName(bridge, baseline)],
    [runtimeName(bridge, stable), runtimeName(bridge, baseline)],
  ]);
  const { template } = spec;
  const { topologySpreadConstraints = [], volumes = [] } = template.spec;
  const deployment: Rendered = {
    ...rendered,
    metadata: {
      ...metadata,
      name: revisionName(bridge, baseline),
      labels: relabelled(metadata.labels ?? {}),
    },
    spec: {
      ...spec,
      selector: { ...spec.selector, matchLabels: relabelled(spec.selector.matchLabels) },
      template: {
        ...template,
        metadata: { ...template.metadata, labels: relabelled(template.metadata.labels) },
        spec: {
          ...template.spec,
          topologySpreadConstraints: topologySpreadConstraints.map((one) =>
            one.labelSelector
              ? { ...one, labelSelector: { matchLabels: relabelled(one.labelSelector.matchLabels) } }
              : one,
          ),
          volumes: volumes.map((volume) => {
            const name = files.get(volume.configMap?.name ?? "");
            return name === undefined ? volume : { ...volume, configMap: { ...volume.configMap, name } };
          }),
        },
      },
    },
  };
  return deployment;
}
