{{- define "modelops-server.complaints" -}}
{{- include "common.complaints.platform" . }}
{{ include "common.complaints.image" (dict "root" . "program" "modelops-server") }}
{{ include "common.complaints.resources" (dict "root" . "program" "modelops-server" "resources" .Values.resources "at" "resources") }}
{{ include "modelops-server.complaints.storage" . }}
{{- end -}}
