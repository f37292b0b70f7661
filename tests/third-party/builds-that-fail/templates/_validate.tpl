{{- define "builds-that-fail.complaints" -}}{{- end -}}
