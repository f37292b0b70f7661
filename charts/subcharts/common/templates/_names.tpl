{{- /* Names that more than one chart uses; what only one chart uses stands in that chart's own _names.tpl. */ -}}

{{- define "common.platformName" -}}{{- /* the release that the platform is named by, also in the release that holds its applications */ -}}
{{- dig "platform" "name" "" .Values.global | default .Release.Name -}}
{{- end -}}

{{- define "common.fullname" -}}{{- /* an application of the platform: all its namespaced objects */ -}}
{{- printf "%s-%s" (include "common.platformName" .) .Chart.Name -}}
{{- end -}}

{{- define "common.clusterName" -}}{{- /* cluster-scoped objects of an application carry namespace and release */ -}}
{{- printf "%s-%s-%s" .Release.Namespace (include "common.platformName" .) .Chart.Name -}}
{{- end -}}

{{- define "common.platform" -}}{{- /* label value: which platform an environment belongs to */ -}}
{{- printf "%s.%s" .Release.Namespace (include "common.platformName" .) -}}
{{- end -}}

{{- define "common.taskPriorityClass" -}}{{- /* PriorityClass (cluster-scoped) of task pods */ -}}
{{- printf "%s-%s-task" .Release.Namespace (include "common.platformName" .) -}}
{{- end -}}

{{- define "common.runnerAccount" -}}{{- /* ServiceAccount of task pods, in every environment; scheduler/names.py: RUNNER_ACCOUNT */ -}}
modelops-runner
{{- end -}}

{{- define "common.modelopsServer.fullname" -}}{{- /* Service of the modelops server */ -}}
{{- printf "%s-modelops-server" (include "common.platformName" .) -}}
{{- end -}}

{{- define "common.modelopsServer.url" -}}{{- /* as seen from pods of every namespace */ -}}
{{- printf "http://%s.%s.svc:8080" (include "common.modelopsServer.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "common.artifactStore.url" -}}{{- /* where jobs fetch models, and where the scheduling server asks for revisions and grants */ -}}
{{- .Values.global.artifactStore.url | default (include "common.modelopsServer.url" .) -}}
{{- end -}}

{{- define "common.schedulingServer.url" -}}{{- /* as seen from pods of every namespace */ -}}
{{- printf "http://%s-scheduling-server.%s.svc:8080" (include "common.platformName" .) .Release.Namespace -}}
{{- end -}}

{{- /* Deployment, Service, ConfigMap, NetworkPolicy of one model; scheduler/names.py: scoring_service */ -}}
{{- define "common.scoringService.fullname" -}}{{- /* takes {root, model} */ -}}
{{- $server := trimPrefix "scoring-server-" .root.Chart.Name -}}
{{- printf "%s-%s-%s" .root.Release.Name $server (.model.name | sha256sum | trunc 8) -}}
{{- end -}}

{{- define "common.buildNamespace" -}}{{- /* where images are built; no job runs there */ -}}
{{- dig "build" "namespace" "" .Values.global | default (printf "%s-builds" .Release.Namespace) -}}
{{- end -}}
