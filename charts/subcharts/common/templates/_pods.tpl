{{- /* All images run as this user and group; local volumes belong to it (hostPath knows no fsGroup). */ -}}
{{- define "common.pod.securityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "common.container.securityContext" -}}
runAsNonRoot: true
runAsUser: 10001
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "common.pullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "common.priority" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "common.image" -}}{{- /* of a program: takes {root, program}; `common.complaints.image` says when there is none */ -}}
{{- $reference := index (.root.Values.global.images | default dict) .program | default "" -}}
{{- include "common.reference" (dict "root" .root "reference" $reference) | quote -}}
{{- end -}}

{{- define "common.tools" -}}{{- /* the image container-tools */ -}}
{{- include "common.reference" (dict "root" . "reference" .Values.global.build.tools) -}}
{{- end -}}

{{- /* An image as the node pulls it: takes {root, reference}. One without a registry (what stands before its first slash has neither dot nor
       colon) is looked for in global.registry.pull. */ -}}
{{- define "common.reference" -}}
{{- $registry := .root.Values.global.registry.pull -}}
{{- if and $registry .reference (not (regexMatch "^([^/]*[.:][^/]*|localhost)/" .reference)) -}}
{{- printf "%s/%s" $registry .reference -}}
{{- else -}}
{{- .reference -}}
{{- end -}}
{{- end -}}

{{- define "common.environment" -}}{{- /* environment that every container of ours gets */ -}}
- name: MODELOPS_LOG_LEVEL
  value: {{ .Values.global.logLevel | quote }}
{{- end -}}

{{- define "common.secretEnvironment" -}}{{- /* takes a list of {name, secretRef: {name, key}} */ -}}
{{- range . }}
- name: {{ .name | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secretRef.name | quote }}
      key: {{ .secretRef.key | quote }}
{{- end }}
{{- end -}}
