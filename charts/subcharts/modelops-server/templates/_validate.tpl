{{- define "modelops-server.complaints" -}}
{{- include "common.complaints.platform" . }}
{{ include "common.complaints.image" (dict "root" . "program" "modelops-server") }}
{{ include "modelops-server.complaints.storage" . }}
{{- end -}}
