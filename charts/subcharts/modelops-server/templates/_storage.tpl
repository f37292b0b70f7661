{{- define "modelops-server.storage" -}}{{- /* environment that says where artifacts are; credentials by reference alone */ -}}
{{- with .Values.storage }}
{{- if .url }}
- {name: MODELOPS_STORAGE_URL, value: {{ .url | quote }}}
- {name: MODELOPS_STORAGE_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: MODELOPS_STORAGE_REGION, value: {{ .region | quote }}}
{{- with .secretRef.name }}
{{- range $key, $optional := dict "AWS_ACCESS_KEY_ID" false "AWS_SECRET_ACCESS_KEY" false "AWS_SESSION_TOKEN" true }}
- name: {{ $key }}
  valueFrom:
    secretKeyRef: {name: {{ $.Values.storage.secretRef.name | quote }}, key: {{ $key }}, optional: {{ $optional }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops-server.storageUrl" -}}{{- /* what a NetworkPolicy must let through; a store without an endpoint is somewhere at 443 */ -}}
{{- with .Values.storage -}}
{{- if .url -}}{{- .endpoint | default "https://object-store" -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "modelops-server.complaints.storage" -}}
{{- $isS3 := hasPrefix "s3://" .Values.storage.url -}}
{{- with .Values.storage }}
{{- if or (hasPrefix "file:" .url) (hasPrefix "local:" .url) (hasPrefix "memory:" .url) }}
storage.url: {{ .url }} is no object store; for a volume leave it empty and set `persistence`
{{- end }}
{{- if not $isS3 }}
{{- range $key, $value := dict "endpoint" .endpoint "region" .region "secretRef.name" .secretRef.name }}
{{- if $value }}
storage.{{ $key }}: {{ $value }} belongs to a storage.url of s3://, which is not given
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.storage.url) }}
replicas: {{ .Values.replicas }} pods cannot write to one volume; give storage.url, or leave it at 1
{{- end }}
{{- end -}}
