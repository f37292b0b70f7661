{{- define "modelops-server.fullname" -}}{{- /* all its namespaced objects */ -}}
{{- include "common.modelopsServer.fullname" . -}}
{{- end -}}

{{- define "modelops-server.claim" -}}{{- /* PersistentVolumeClaim with models and revisions */ -}}
{{- .Values.persistence.existingClaim | default (include "modelops-server.fullname" .) -}}
{{- end -}}
