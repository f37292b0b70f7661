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
{{- printf "%s-%s-%s" .root.Release.Namespace (include "common.platformName" .root) .role -}}
{{- end -}}

{{- define "modelops.binding" -}}{{- /* RoleBinding of people; takes {root, role} */ -}}
{{- printf "%s-%s" (include "common.platformName" .root) .role -}}
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

{{- define "modelops.roleLabels" -}}{{- /* takes {root, into}: Kubernetes' own role that this one becomes part of */ -}}
{{ include "common.labels" .root }}
{{- if .root.Values.access.aggregate }}
rbac.authorization.k8s.io/aggregate-to-{{ .into }}: "true"
{{- end }}
{{- end -}}

{{- define "modelops.installer" -}}{{- /* ServiceAccount, Role, RoleBinding of the hooks */ -}}
{{- printf "%s-installer" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.builder" -}}{{- /* ServiceAccount of builds */ -}}
{{- printf "%s-builder" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.deployer" -}}{{- /* ServiceAccount, Role, RoleBinding, NetworkPolicy of the deployment */ -}}
{{- printf "%s-deployer" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.installation" -}}{{- /* Pipeline, ConfigMap with its run, Role of those who may see it */ -}}
{{- printf "%s-installation" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.imageBuild" -}}{{- /* Task */ -}}
{{- printf "%s-image-build" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.deploy" -}}{{- /* Task */ -}}
{{- printf "%s-deploy" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.platformValues" -}}{{- /* ConfigMap in the build namespace */ -}}
{{- printf "%s-platform-values" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.hook" -}}{{- /* hook Job; takes {root, program} */ -}}
{{- printf "%s-%s" (include "common.platformName" .root) .program -}}
{{- end -}}

{{- define "modelops.buildTraffic" -}}{{- /* NetworkPolicy of builds */ -}}
{{- printf "%s-builds" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.buildLabels" -}}{{- /* of the build namespace, which belongs to one platform like an environment */ -}}
{{ include "common.labels" . }}
modelops.dev/platform: {{ include "common.platform" . }}
{{- end -}}

{{- define "modelops.test" -}}{{- /* `helm test`: Job, ConfigMap, ServiceAccount, Roles and RoleBindings */ -}}
{{- printf "%s-test" (include "common.platformName" .) -}}
{{- end -}}

{{- define "modelops.testLabels" -}}{{- /* a component of its own: the hooks' NetworkPolicy is not for it */ -}}
{{ mergeOverwrite (include "common.labels" . | fromYaml) (dict "app.kubernetes.io/component" "test") | toYaml }}
{{- end -}}
