{{- define "streaming-runtime.complaints" -}}
{{- include "common.complaints.image" (dict "root" . "program" "streaming-runtime") }}
{{- end -}}
