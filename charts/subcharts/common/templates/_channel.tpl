{{- /* A registered data channel, as scheduler/channels/registry.py keeps it. */ -}}

{{- define "common.channel.object" -}}{{- /* ConfigMap that registers the channel of this name; scheduler/names.py: channel_object */ -}}
{{- printf "data-channel-%s" . -}}
{{- end -}}

{{- define "common.channel" -}}{{- /* takes {root, environment, channel, schema}: the namespace and the two documents */ -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "common.channel.object" .channel.metadata.name }}
  namespace: {{ .environment }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
    modelops.dev/data-channel: {{ .channel.metadata.name | quote }}
data:
  channel.json: {{ dict "channel" .channel "schema" .schema | toJson | toJson }}
{{- end -}}
