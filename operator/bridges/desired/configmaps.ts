import type { BridgeConfig, RuntimeConfig } from "../../../contract/config.ts";
import { FILES } from "../../../contract/endpoints.ts";
import { canonicalJson } from "../canonical.ts";
import {
  ANNOTATIONS,
  type BridgeRef,
  childLabels,
  keptName,
  ownerReference,
  revisionName,
  runtimeName,
  selectorLabels,
} from "../names.ts";
import type { KeptConfigMap } from "../references.ts";

/** Key of the immutable ConfigMap that keeps the rendered Deployment, so that one deleted by hand comes back as it was. Not mounted. */
export const TEMPLATE_KEY = "deployment.json";

/** Key of what the revision was made from, in the shape of the spec, so that a person can go back to it. Not mounted. */
export const SPEC_KEY = "spec.json";

/** Key of what stands for the content of others that the revision keeps. Not mounted; absent where it keeps none. */
export const CONTENTS_KEY = "contents.json";

/** Label value of the component that revisions' immutable ConfigMaps are. */
export const CONFIG_COMPONENT = "config";

/** The immutable ConfigMap of a revision: its configuration file, its rendered Deployment, and what it was made from. */
export function revisionConfigMap(
  bridge: BridgeRef,
  revision: string,
  config: BridgeConfig,
  deployment: object,
  { spec, contents }: { readonly spec: object | undefined; readonly contents: object | undefined },
) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: revisionName(bridge.name, revision),
      namespace: bridge.namespace,
      labels: { ...childLabels(bridge.name, CONFIG_COMPONENT), ...selectorLabels(bridge.name, revision) },
      ownerReferences: [ownerReference(bridge)],
    },
    immutable: true,
    data: {
      [FILES.config]: `${JSON.stringify(config, undefined, 2)}\n`,
      [TEMPLATE_KEY]: canonicalJson(deployment),
      ...(spec === undefined ? {} : { [SPEC_KEY]: canonicalJson(spec) }),
      ...(contents === undefined ? {} : { [CONTENTS_KEY]: canonicalJson(contents) }),
    },
  };
}

/** Label value of the component that copies of the user's ConfigMaps are. */
const KEPT_COMPONENT = "kept-config";

/**
 * What a revision reads of a ConfigMap of the user's, as it was when the revision was made: an edit of that reaches no pod of this revision, also where
 * a pod restarts, and going back to this revision goes back to this content.
 */
export function keptConfigMap(bridge: BridgeRef, revision: string, kept: KeptConfigMap) {
  const { data, binaryData } = kept;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: keptName(bridge.name, revision, kept.index),
      namespace: bridge.namespace,
      labels: { ...childLabels(bridge.name, KEPT_COMPONENT), ...selectorLabels(bridge.name, revision) },
      annotations: { [ANNOTATIONS.keptFrom]: kept.name },
      ownerReferences: [ownerReference(bridge)],
    },
    immutable: true,
    data,
    ...(Object.keys(binaryData).length > 0 ? { binaryData } : {}),
  };
}

/** The same text for the same content, in whatever order it came: a file that says nothing new is not written again. */
function sortedJson(value: object): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(value)), undefined, 2)}\n`;
}

/** The runtime ConfigMap of a revision: numbers that move under running pods. */
export function runtimeConfigMap(bridge: BridgeRef, revision: string, runtime: RuntimeConfig) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: runtimeName(bridge.name, revision),
      namespace: bridge.namespace,
      labels: { ...childLabels(bridge.name, "runtime"), ...selectorLabels(bridge.name, revision) },
      ownerReferences: [ownerReference(bridge)],
    },
    data: { [FILES.runtime]: sortedJson(runtime) },
  };
}
