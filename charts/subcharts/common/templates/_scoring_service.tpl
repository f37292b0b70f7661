{{- /* The objects of a scoring server's job face, one set per model of .Values.models. A chart calls each from a file named by
       kind. All take {root, model}; runner and component follow from the chart's name. */ -}}

{{- define "common.scoringService.labels" -}}
{{- include "common.job.labels" (dict "root" .root "component" .root.Chart.Name "model" .model) -}}
{{- end -}}

{{- define "common.scoringService.selectorLabels" -}}
{{- include "common.job.selectorLabels" (dict "root" .root "component" .root.Chart.Name "model" .model) -}}
{{- end -}}

{{- define "common.scoringService.metadata" -}}
name: {{ include "common.scoringService.fullname" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "common.scoringService.labels" . | nindent 2 }}
annotations:
  {{- include "common.job.annotations" .root | nindent 2 }}
{{- end -}}

{{- define "common.scoringService.configmap" -}}
{{- $described := merge (dict "path" (printf "/models/%s" .model.sha256)) (omit .model "memory") -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "common.scoringService.metadata" . | nindent 2 }}
data:
  models.json: {{ dict "models" (list $described) | toJson | toJson }}
{{- end -}}

{{- define "common.scoringService.service" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "common.scoringService.metadata" . | nindent 2 }}
spec:
  selector:
    {{- include "common.scoringService.selectorLabels" . | nindent 4 }}
  ports:
    - {name: http, port: 8080, targetPort: http, protocol: TCP}
{{- end -}}

{{- define "common.scoringService.networkpolicy" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "common.scoringService.metadata" . | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "common.scoringService.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- include "common.job.selectorLabels" (dict "root" .root "component" "flow") | nindent 14 }}
      ports:
        - {protocol: TCP, port: 8080}
  # for the download alone; a policy is per pod, so the server could reach the artifact store too, but it has no token for it
  egress:
    {{- include "common.egress.dns" . | nindent 4 }}
    {{- include "common.egress.url" .root.Values.global.artifactStore.url | nindent 4 }}
    # the proxy, where the artifact store lies outside the cluster; what runs a model gets no more of the world than that
    {{- if not (regexMatch "[.]svc([:/.]|$)" .root.Values.global.artifactStore.url) }}
    {{- include "common.connection.egress" .root | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "common.scoringService.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "common.scoringService.metadata" . | nindent 2 }}
spec:
  replicas: {{ .root.Values.replicas }}
  revisionHistoryLimit: 0
  selector:
    matchLabels:
      {{- include "common.scoringService.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "common.scoringService.labels" . | nindent 8 }}
      annotations:
        {{- include "common.job.annotations" .root | nindent 8 }}
    spec:
      {{- include "common.scoringService.pod" . | nindent 6 }}
{{- end -}}
