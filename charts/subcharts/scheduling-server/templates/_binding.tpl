{{- define "scheduling-server.binding" -}}{{- /* takes {root, namespace}: the server's Role there is its own */ -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "scheduling-server.fullname" .root }}
  namespace: {{ .namespace }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "scheduling-server.fullname" .root }}
subjects:
  - {kind: ServiceAccount, name: {{ include "scheduling-server.fullname" .root }}, namespace: {{ .root.Release.Namespace }}}
{{- end -}}
