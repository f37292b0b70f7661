{{- define "scoring-server-pmml.complaints" -}}
{{- include "common.complaints.job" . }}
{{ include "common.complaints.image" (dict "root" . "program" .Chart.Name) }}
{{- if and (eq .Values.global.render "job") (not .Values.global.artifactStore.url) }}
global.artifactStore.url: missing; models are fetched from there
{{- end }}
{{- end -}}
