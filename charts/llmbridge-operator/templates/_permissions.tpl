{{- /* Generated from operator/permissions.ts; do not edit. */ -}}

{{- /* On bridges and their children: in the whole cluster, or in each watched namespace. */ -}}
{{- define "llmbridge-operator.rules" -}}
# A new leader reads a bridge anew before its first write for it. Patched only in finalizers: a bridge that takes over is deleted once that is given back.
- apiGroups: [llmbridge.dev]
  resources: [llmbridges]
  verbs: [get, list, patch, watch]
# Reports.
- apiGroups: [llmbridge.dev]
  resources: [llmbridges/status]
  verbs: [patch]
# Children name their bridge as a blocking owner, which OwnerReferencesPermissionEnforcement asks this for.
- apiGroups: [llmbridge.dev]
  resources: [llmbridges/finalizers]
  verbs: [update]
# A bridge's revisions; those beyond the history limit are deleted. Of the Deployment that a spec takes over, replicas and annotations alone.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, delete, get, list, patch, watch]
# A bridge's revisions; those beyond the history limit are deleted. Of the Deployment that a spec takes over, replicas and annotations alone.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create, delete, get, list, patch, watch]
# A bridge's other children, which the garbage collector removes, and the selector and ports of the Service that a spec takes over.
- apiGroups: [""]
  resources: [serviceaccounts, services]
  verbs: [create, get, list, patch, watch]
# A bridge's other children, which the garbage collector removes, and the selector and ports of the Service that a spec takes over.
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, get, list, patch, watch]
# A bridge's other children, which the garbage collector removes, and the selector and ports of the Service that a spec takes over.
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create, get, list, patch, watch]
# Patched only in annotations: a touch makes kubelet refresh mounted files at once, and deletion cost names the pod to go first. Pods that are taken over get labels by which Services find them.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, patch, watch]
# `kubectl llmbridge restart` replaces pods, as far as disruption budgets allow.
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# Whether one scales the Deployment that a spec takes over.
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list]
# kubelet's reasons why an image cannot be pulled or a Secret is missing.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
# Tells what it does and why.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* Beside them where the settings ask for PodMonitors. */ -}}
{{- define "llmbridge-operator.podMonitorRules" -}}
# A bridge's PodMonitor, which the garbage collector removes.
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [create, get, list, patch, watch]
{{- end }}

{{- /* Beside those in the whole cluster. */ -}}
{{- define "llmbridge-operator.podMonitorDefinitionRules" -}}
# Whether PodMonitors are served; asked for by its name alone.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [podmonitors.monitoring.coreos.com]
  verbs: [list, watch]
{{- end }}

{{- /* Beside them where the settings let gates run Jobs. */ -}}
{{- define "llmbridge-operator.gateJobRules" -}}
# The Jobs of a rollout's gates, deleted when they are given up and when the rollout is over.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [create, delete, get, list, patch, watch]
{{- end }}

{{- /* Beside them where the settings let bridges use HTTPRoutes. */ -}}
{{- define "llmbridge-operator.httpRouteRules" -}}
# A bridge's own route, deleted when its spec asks for none, and the weights in the routes that specs name.
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [create, delete, get, list, patch, watch]
{{- end }}

{{- /* Beside those in the whole cluster. */ -}}
{{- define "llmbridge-operator.httpRouteDefinitionRules" -}}
# Whether HTTPRoutes are served; asked for by its name alone.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [httproutes.gateway.networking.k8s.io]
  verbs: [list, watch]
{{- end }}

{{- /* Beside them where Secrets are named whose changes may start canaries. */ -}}
{{- define "llmbridge-operator.canarySecretRules" -}}
# Whether a Secret has changed of which a bridge wants a canary; nothing but the names that are listed.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ toJson .Values.canarySecrets | trimPrefix "[" | trimSuffix "]" }}]
  verbs: [get, watch]
# The copies of these that revisions keep, which the garbage collector removes. It reads, changes and deletes none.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end }}

{{- /* Beside those, in the operator's own namespace. */ -}}
{{- define "llmbridge-operator.fingerprintKeyRules" -}}
# Its key, by which it tells that a Secret has changed without telling what is in it.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [llmbridge-secret-fingerprints]
  verbs: [get]
# That key, where there is none yet.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end }}

{{- /* In the operator's own namespace. A name cannot be asked of a create. */ -}}
{{- define "llmbridge-operator.leaseRules" -}}
# Leader election.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
# Leader election.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "llmbridge-operator.name" . }}]
  verbs: [get, list, patch, watch]
{{- end }}
