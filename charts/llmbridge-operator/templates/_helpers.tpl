{{- define "llmbridge-operator.name" -}}
{{- printf "%s" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "llmbridge-operator.selectorLabels" -}}
app.kubernetes.io/name: llmbridge-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "llmbridge-operator.labels" -}}
{{ include "llmbridge-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: llmbridge
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "llmbridge-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "llmbridge-operator.name" .) -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "llmbridge-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- /* What the operator may do to bridges and their children, in the whole cluster or in each watched namespace. */ -}}
{{- define "llmbridge-operator.rules" -}}
- apiGroups: [llmbridge.dev]
  resources: [llmbridges]
  verbs: [get, list, watch]
- apiGroups: [llmbridge.dev]
  resources: [llmbridges/status]
  verbs: [patch]
# Children name their bridge as a blocking owner, which clusters with OwnerReferencesPermissionEnforcement ask this for.
- apiGroups: [llmbridge.dev]
  resources: [llmbridges/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [""]
  resources: [configmaps, serviceaccounts, services]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [create, delete, get, list, patch, watch]
# Patched only in annotations: a touch makes kubelet refresh mounted files at once, and deletion cost names the pod to go first.
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, patch, watch]
# Read: kubelet's reasons why an image cannot be pulled or a Secret is missing.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{- define "llmbridge-operator.args" -}}
- --settings=/etc/llmbridge-operator/settings.yaml
- --log-level={{ .Values.logLevel }}
- --lease-name={{ include "llmbridge-operator.name" . }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- end -}}
