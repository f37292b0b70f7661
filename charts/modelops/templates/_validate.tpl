{{- define "modelops.complaints" -}}
{{- include "common.complaints.platform" . }}
{{- if not .Values.global.environments }}
global.environments: empty; jobs need at least one namespace to run in
{{- end }}
{{- if and (index .Values "scheduling-server" "enabled") (not (index .Values "modelops-server" "enabled")) (not .Values.global.artifactStore.url) }}
global.artifactStore.url: missing; without the modelops server of this release jobs must fetch models from that of another platform
{{- end }}
{{- if and (eq .Values.global.render "builds") (eq .Values.global.prerequisites "only") (not .Values.global.platform.name) }}
global.platform.name: missing; a release of prerequisites is made for the release of that name, which is installed after it
{{- end }}
{{- if has (include "common.buildNamespace" .) (append (.Values.global.environments | default list) .Release.Namespace) }}
global.build.namespace: {{ include "common.buildNamespace" . }} is the platform's own or an environment; builds run in a namespace of their own
{{- end }}
{{ include "modelops.complaints.tekton" . }}
{{ include "modelops.complaints.namespaces" . }}
{{ include "modelops.complaints.prepared" . }}
{{- if and (include "common.makesPrerequisites" .) .Values.global.build.enabled }}
{{ include "modelops.complaints.quota" . }}
{{- end }}
{{- if include "common.makesObjects" . }}
{{ include "modelops.complaints.images" . }}
{{- end }}
{{- if include "common.makesImages" . }}
{{ include "modelops.complaints.steps" . }}
{{ include "common.complaints.resources" (dict "root" . "program" "build" "resources" .Values.global.build.resources "at" "global.build.resources") }}
{{- end }}
{{ include "modelops.complaints.charts" . }}
{{ include "common.complaints.subcharts" . }}
{{- end -}}

{{- /* The schema lets values of any sub-chart through, for it cannot know those of others; a name that no chart has is told here. helm
       shows templates no chart that is switched off: these are known by a file alone. */ -}}
{{- define "modelops.complaints.charts" -}}
{{- $known := concat (keys .Subcharts) (.Files.Get "files/sub-charts.yaml" | fromYamlArray) | uniq }}
{{- range $name := omit .Values "global" "common" | keys | sortAlpha }}
{{- if and (contains "-" $name) (not (has $name $known)) }}
{{ $name }}: no sub-chart has this name (there are: {{ without $known "common" | sortAlpha | join ", " }})
{{- end }}
{{- end }}
{{- end -}}

{{- /* What a release without prerequisites stands on, known by the accounts that they bring: Kubernetes' role `admin` may see those. Where
       the account `default`, which every namespace has, cannot be looked up there is no cluster to look at. */ -}}
{{- define "modelops.complaints.prepared" -}}
{{- if and (include "common.makesObjects" .) (not (include "common.makesPrerequisites" .)) (lookup "v1" "ServiceAccount" .Release.Namespace "default") }}
{{- $own := include "common.platform" . }}
{{- $name := include "common.platformName" . }}
{{- if not (lookup "v1" "ServiceAccount" .Release.Namespace (include "modelops.installer" .)) }}
global.prerequisites: nothing is prepared for the platform {{ $own }}; a cluster administrator comes first: helm install {{ $name }}-prerequisites charts/modelops --namespace {{ .Release.Namespace }} --values VALUES --set global.prerequisites=only --set global.platform.name={{ $name }}
{{- else }}
{{- if not (lookup "v1" "ServiceAccount" (include "common.buildNamespace" .) (include "modelops.deployer" .)) }}
global.build.namespace: {{ include "common.buildNamespace" . }} is not prepared for the platform {{ $own }}; the release of prerequisites names another one
{{- end }}
{{- range .Values.global.environments }}
{{- $account := lookup "v1" "ServiceAccount" . (include "common.runnerAccount" $) }}
{{- if ne $own (dig "metadata" "labels" "modelops.dev/platform" "" $account) }}
global.environments: {{ . }} is not prepared for the platform {{ $own }}; a cluster administrator adds it to the release of prerequisites first: modelops environment add {{ . }} --namespace {{ $.Release.Namespace }} --release PREREQUISITES
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
