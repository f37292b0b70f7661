{{- define "scheduling-server.complaints" -}}
{{- include "common.complaints.platform" . }}
{{ include "common.complaints.image" (dict "root" . "program" "scheduling-server") }}
{{ include "common.complaints.resources" (dict "root" . "program" "scheduling-server" "resources" .Values.resources "at" "resources") }}
{{- end -}}
