{{- /* The image is made outside the cluster, and nothing that is rendered so far runs it. */ -}}
{{- define "container-tools.complaints" -}}
{{- end -}}
