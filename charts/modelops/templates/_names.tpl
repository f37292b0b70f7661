{{- /* Objects of an environment have fixed names: an environment belongs to one platform. */ -}}
{{- define "modelops.runner" -}}{{- /* ServiceAccount, Role, RoleBinding of task pods; scheduler/names.py: RUNNER_ACCOUNT */ -}}
{{- include "common.runnerAccount" . -}}
{{- end -}}

{{- define "modelops.scoring" -}}{{- /* ServiceAccount of a job's release; scheduler/names.py: SCORING_ACCOUNT */ -}}
modelops-scoring
{{- end -}}

{{- define "modelops.quota" -}}{{- /* ResourceQuota; takes what it is for */ -}}
{{- printf "modelops-%s" . -}}
{{- end -}}

{{- define "modelops.limits" -}}{{- /* LimitRange */ -}}
modelops
{{- end -}}

{{- define "modelops.denial" -}}{{- /* NetworkPolicy of all pods */ -}}
modelops-default-deny
{{- end -}}

{{- define "modelops.taskTraffic" -}}{{- /* NetworkPolicy of task pods */ -}}
modelops-tasks
{{- end -}}

{{- define "modelops.role" -}}{{- /* ClusterRole of people; takes {root, role} */ -}}
{{- printf "%s-%s-%s" .root.Release.Namespace .root.Release.Name .role -}}
{{- end -}}

{{- define "modelops.binding" -}}{{- /* RoleBinding of people; takes {root, role} */ -}}
{{- printf "%s-%s" .root.Release.Name .role -}}
{{- end -}}

{{- define "modelops.environmentLabels" -}}{{- /* takes {root, environment} */ -}}
{{ include "common.labels" .root }}
modelops.dev/environment: {{ .environment }}
modelops.dev/platform: {{ include "common.platform" .root }}
{{- end -}}

{{- define "modelops.environmentMetadata" -}}{{- /* takes {root, environment, name} */ -}}
name: {{ .name }}
namespace: {{ .environment }}
labels:
  {{- include "modelops.environmentLabels" . | nindent 2 }}
{{- end -}}
