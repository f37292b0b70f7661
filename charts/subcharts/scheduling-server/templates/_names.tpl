{{- define "scheduling-server.fullname" -}}{{- /* all its namespaced objects, in every namespace */ -}}
{{- include "common.fullname" . -}}
{{- end -}}
