{{- define "data-channel.complaints" -}}
{{- $seen := dict }}
{{- range $index, $entry := .Values.register }}
{{- $at := printf "register[%d]" $index }}
{{- $name := $entry.channel.metadata.name }}
{{- $key := printf "%s/%s" $entry.environment $name }}
{{- if not (has $entry.environment $.Values.global.environments) }}
{{ $at }}.environment: {{ $entry.environment }} is no environment of this platform (there are: {{ join ", " $.Values.global.environments }})
{{- end }}
{{- if hasKey $seen $key }}
{{ $at }}.channel: {{ $name }} is registered twice in {{ $entry.environment }}
{{- end }}
{{- $_ := set $seen $key true }}
{{- if ne $entry.channel.spec.schema $entry.schema.metadata.name }}
{{ $at }}.schema: {{ $entry.schema.metadata.name }} is not the schema that the channel names ({{ $entry.channel.spec.schema }})
{{- end }}
{{- end }}
{{- end -}}
