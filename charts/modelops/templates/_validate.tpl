{{- define "modelops.complaints" -}}
{{- include "common.complaints.platform" . }}
{{- if not .Values.global.environments }}
global.environments: empty; jobs need at least one namespace to run in
{{- end }}
{{- if and (index .Values "scheduling-server" "enabled") (not (index .Values "modelops-server" "enabled")) (not .Values.global.artifactStore.url) }}
global.artifactStore.url: missing; without the modelops server of this release jobs must fetch models from another one
{{- end }}
{{ include "common.complaints.subcharts" . }}
{{- end -}}
