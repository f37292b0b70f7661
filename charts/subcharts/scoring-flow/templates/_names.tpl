{{- define "scoring-flow.fullname" -}}{{- /* Job, ConfigMap, NetworkPolicy; scheduler/names.py: flow */ -}}
{{- printf "%s-flow" .Release.Name -}}
{{- end -}}

{{- define "scoring-flow.labels" -}}
{{- include "common.job.labels" (dict "root" . "component" "flow") -}}
{{- end -}}

{{- define "scoring-flow.annotations" -}}
{{- include "common.job.annotations" . }}
modelops.dev/flow: {{ .Values.flow.name | quote }}
{{- with .Values.global.gitServer.url }}
modelops.dev/git-server: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "scoring-flow.metadata" -}}
name: {{ include "scoring-flow.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "scoring-flow.labels" . | nindent 2 }}
annotations:
  {{- include "scoring-flow.annotations" . | nindent 2 }}
{{- end -}}
