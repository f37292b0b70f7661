{{- define "scoring-flow.complaints" -}}
{{- include "common.complaints.job" . }}
{{ include "common.complaints.image" (dict "root" . "program" "streaming-runtime") }}
{{- if eq .Values.global.render "job" }}
{{- range $key := list "name" "engine" "runner" }}
{{- if not (index $.Values.flow $key) }}
flow.{{ $key }}: missing
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
