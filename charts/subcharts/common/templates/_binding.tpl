{{- define "common.application.binding" -}}{{- /* takes {root, namespace}: the application's Role there is its own */ -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "common.fullname" .root }}
  namespace: {{ .namespace }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "common.fullname" .root }}
subjects:
  - {kind: ServiceAccount, name: {{ include "common.fullname" .root }}, namespace: {{ .root.Release.Namespace }}}
{{- end -}}
