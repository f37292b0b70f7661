{{- define "scoring-server-linear-csv.complaints" -}}
{{- include "common.complaints.job" . }}
{{ include "common.complaints.image" (dict "root" . "program" .Chart.Name) }}
{{- end -}}
