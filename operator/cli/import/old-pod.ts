/** A Deployment's pod template as far as it is read; whatever else stands in it is told to be left out. */

/** How the Deployment replaces its pods, as it is stored. */
export interface OldRollout {
  readonly strategy?: object;
  readonly minReadySeconds?: number;
  readonly progressDeadlineSeconds?: number;
  readonly revisionHistoryLimit?: number;
  readonly [other: string]: unknown;
}

export interface OldTemplate {
  readonly metadata?: { readonly labels?: TextMap; readonly annotations?: TextMap } | undefined;
  readonly spec: OldPodSpec;
}

export type TextMap = Readonly<Record<string, string>>;

export interface OldPodSpec {
  readonly containers: readonly OldContainer[];
  readonly initContainers?: readonly OldContainer[];
  readonly volumes?: readonly OldVolume[];
  readonly nodeSelector?: TextMap;
  readonly tolerations?: readonly object[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly priorityClassName?: string;
  readonly serviceAccountName?: string;
  readonly [other: string]: unknown;
}

export interface OldContainer {
  readonly name: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly env?: readonly OldVariable[];
  readonly envFrom?: readonly OldVariables[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly resources?: { readonly requests?: TextMap; readonly limits?: TextMap };
  readonly volumeMounts?: readonly OldMount[];
  readonly [other: string]: unknown;
}

export interface KeyRef {
  readonly name?: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface OldVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: KeyRef;
    readonly configMapKeyRef?: KeyRef;
    readonly fieldRef?: { readonly fieldPath: string };
    readonly resourceFieldRef?: { readonly resource: string };
  };
}

export interface OldVariables {
  readonly prefix?: string;
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean };
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean };
}

export interface OldMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly subPathExpr?: string;
}

export interface OldVolume {
  readonly name: string;
  readonly configMap?: {
    readonly name?: string;
    readonly items?: readonly object[];
    readonly optional?: boolean;
  };
  readonly secret?: {
    readonly secretName?: string;
    readonly items?: readonly object[];
    readonly optional?: boolean;
  };
  readonly [other: string]: unknown;
}
