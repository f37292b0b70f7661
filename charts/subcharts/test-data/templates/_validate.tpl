{{- define "test-data.complaints" -}}
{{- range $index, $name := .Values.environments }}
{{- if not (has $name $.Values.global.environments) }}
environments[{{ $index }}]: {{ $name }} is no environment of this platform (there are: {{ join ", " $.Values.global.environments }})
{{- end }}
{{- end }}
{{- if eq .Values.source.name .Values.sink.name }}
sink.name: {{ .Values.sink.name }} is the source's name already; each channel needs its own
{{- end }}
{{- end -}}
