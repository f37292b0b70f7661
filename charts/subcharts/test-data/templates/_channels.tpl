{{- define "test-data.schema" -}}{{- /* RecordSchema document, as JSON */ -}}
{{- $usual := dict "order" (list "id" "value" "text") "required" (list "id" "text") "properties" (dict
      "id" (dict "type" "integer")
      "value" (dict "type" "number" "nullable" true)
      "text" (dict "type" "string")) -}}
{{- dict "apiVersion" "modelops/v1" "kind" "RecordSchema" "metadata" (dict "name" "test-record") "spec" (.Values.schema | default $usual) | toJson -}}
{{- end -}}

{{- define "test-data.channel" -}}{{- /* DataChannel document, as JSON; takes {name, description, direction, config} */ -}}
{{- $spec := dict "direction" .direction "type" "test" "schema" "test-record" "config" .config -}}
{{- $metadata := dict "name" .name "description" .description -}}
{{- dict "apiVersion" "modelops/v1" "kind" "DataChannel" "metadata" $metadata "spec" $spec | toJson -}}
{{- end -}}

{{- define "test-data.source" -}}
{{- $description := "Records that are made up (chart test-data)" -}}
{{- include "test-data.channel" (dict "name" .Values.source.name "description" $description "direction" "source" "config" (omit .Values.source "name")) -}}
{{- end -}}

{{- define "test-data.sink" -}}
{{- $description := "Checks that every record comes once and in its order (chart test-data)" -}}
{{- include "test-data.channel" (dict "name" .Values.sink.name "description" $description "direction" "sink" "config" dict) -}}
{{- end -}}
