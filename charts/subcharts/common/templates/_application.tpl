{{- /* What the applications of the platform have in common; each takes the chart's root. An application listens on 8080. */ -}}

{{- define "common.application.metadata" -}}
name: {{ include "common.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "common.labels" . | nindent 2 }}
{{- end -}}

{{- define "common.application.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "common.application.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{- define "common.application.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.application.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "common.selectorLabels" . | nindent 4 }}
  ports:
    - {name: http, port: 8080, targetPort: http, protocol: TCP}
{{- end -}}

{{- /* Who the caller is (TokenReview) and what they may do (SubjectAccessReview) are asked of the whole cluster: the only rights of
       an application that are not namespaced. */ -}}
{{- define "common.application.reviewer" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ include "common.clusterName" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
rules:
  - apiGroups: [authentication.k8s.io]
    resources: [tokenreviews]
    verbs: [create]
  - apiGroups: [authorization.k8s.io]
    resources: [subjectaccessreviews]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ include "common.clusterName" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ include "common.clusterName" . }}
subjects:
  - {kind: ServiceAccount, name: {{ include "common.fullname" . }}, namespace: {{ .Release.Namespace }}}
{{- end -}}

{{- define "common.application.networkpolicy" -}}{{- /* takes {root, urls}: what the application calls beside the API server */ -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.application.metadata" .root | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.selectorLabels" .root | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        - {protocol: TCP, port: 8080}
      {{- with .root.Values.networkPolicy.from }}
      from:
        {{- toYaml . | nindent 8 }}
        # the servers call each other
        - podSelector:
            matchLabels:
              app.kubernetes.io/instance: {{ include "common.platformName" $.root }}
              app.kubernetes.io/part-of: modelops
      {{- end }}
    {{- with .root.Values.networkPolicy.metricsFrom }}
    - ports:
        - {protocol: TCP, port: 9090}
      from:
        {{- toYaml . | nindent 8 }}
    {{- end }}
  egress:
    {{- include "common.egress.dns" . | nindent 4 }}
    {{- include "common.egress.apiServer" .root | nindent 4 }}
    {{- range compact .urls }}
    {{- include "common.egress.url" . | nindent 4 }}
    {{- end }}
    {{- include "common.connection.egress" .root | nindent 4 }}
{{- end -}}

{{- define "common.application.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 1
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end -}}
