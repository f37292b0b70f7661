{{- define "data-channel.object" -}}{{- /* ConfigMap that registers the channel of this name; scheduler/names.py: channel_object */ -}}
{{- printf "data-channel-%s" . -}}
{{- end -}}
