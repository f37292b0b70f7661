{{- define "common.labels" -}}{{- /* every object of the platform */ -}}
{{ include "common.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: modelops
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "common.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ include "common.platformName" . }}
app.kubernetes.io/component: {{ .Chart.Name }}
{{- end -}}

{{- /* Every object and pod template of a job: takes {root, component} and, for one model's service, {model}. */ -}}
{{- define "common.job.labels" -}}
{{ include "common.job.selectorLabels" . }}
modelops.dev/pipeline: {{ .root.Values.global.job.pipeline | quote }}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: modelops
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{- define "common.job.selectorLabels" -}}
modelops.dev/release: {{ .root.Release.Name | quote }}
modelops.dev/component: {{ .component }}
{{- with .model }}
modelops.dev/model: {{ .name | quote }}
{{- end }}
{{- end -}}

{{- define "common.job.annotations" -}}{{- /* takes the root */ -}}
modelops.dev/ir-digest: {{ .Values.global.job.irDigest | quote }}
{{- end -}}
