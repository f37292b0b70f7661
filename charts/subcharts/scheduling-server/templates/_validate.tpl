{{- define "scheduling-server.complaints" -}}
{{- include "common.complaints.platform" . }}
{{ include "common.complaints.image" (dict "root" . "program" "scheduling-server") }}
{{- end -}}
