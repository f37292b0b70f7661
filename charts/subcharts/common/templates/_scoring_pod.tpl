{{- /* The pod of a scoring service: a download that holds the token, then a server that does not. A chart with programs of its own
       gives `commands` beside {root, model}: {download, server}, each a list of words. */ -}}
{{- define "common.scoringService.pod" -}}
serviceAccountName: {{ .root.Values.global.accounts.scoring }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
{{- include "common.priority" .root }}
{{- include "common.pullSecrets" .root }}
securityContext:
  {{- include "common.pod.securityContext" . | nindent 2 }}
initContainers:
  - {{- include "common.scoringService.download" . | nindent 4 }}
containers:
  - {{- include "common.scoringService.server" . | nindent 4 }}
volumes:
  - name: config
    configMap:
      name: {{ include "common.scoringService.fullname" . }}
  - name: models
    emptyDir:
      sizeLimit: {{ .root.Values.modelsSize }}
  - name: tmp
    emptyDir:
      sizeLimit: {{ .root.Values.tmpSize }}
  - name: artifacts-token
    projected:
      sources:
        # ten minutes is the least that a kubelet accepts
        - serviceAccountToken: {audience: modelops-artifacts, expirationSeconds: 600, path: token}
  {{- include "common.connection.volume" .root | nindent 2 }}
{{- end -}}

{{- define "common.scoringService.download" -}}
name: download
image: {{ include "common.image" (dict "root" .root "program" .root.Chart.Name) }}
command: {{ dig "commands" "download" (list "python3" "-m" "scheduler.serving.download") . | toJson }}
securityContext:
  {{- include "common.container.securityContext" . | nindent 2 }}
terminationMessagePolicy: File
env:
  {{- include "common.environment" .root | nindent 2 }}
  {{- include "common.connection.environment" .root | nindent 2 }}
  - name: MODELOPS_ARTIFACT_STORE_URL
    value: {{ .root.Values.global.artifactStore.url | quote }}
  {{- include "common.secretEnvironment" .root.Values.download.env | nindent 2 }}
resources:
  {{- toYaml .root.Values.download.resources | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/modelops/serving, readOnly: true}
  - {name: models, mountPath: /models}
  - {name: tmp, mountPath: /tmp}
  - {name: artifacts-token, mountPath: /var/run/secrets/modelops-artifacts, readOnly: true}
  {{- include "common.connection.mount" .root | nindent 2 }}
{{- end -}}

{{- define "common.scoringService.server" -}}
{{- $runner := trimPrefix "scoring-server-" .root.Chart.Name -}}
name: server
image: {{ include "common.image" (dict "root" .root "program" .root.Chart.Name) }}
{{- with dig "commands" "server" "" . }}
command: {{ toJson . }}
{{- else }}
command: [python3, -m, scheduler.serving]
args: [--runner, {{ $runner }}]
{{- end }}
securityContext:
  {{- include "common.container.securityContext" . | nindent 2 }}
terminationMessagePolicy: File
env:
  {{- include "common.environment" .root | nindent 2 }}
  {{- include "common.connection.caEnvironment" .root | nindent 2 }}
  {{- include "common.secretEnvironment" .root.Values.env | nindent 2 }}
ports:
  - {name: http, containerPort: 8080, protocol: TCP}
startupProbe:
  httpGet: {path: /v2/health/live, port: http}
  periodSeconds: 1
  failureThreshold: {{ .root.Values.startSeconds }}
readinessProbe:
  httpGet: {path: /v2/health/ready, port: http}
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /v2/health/live, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
resources:
  {{- include "common.scoringService.resources" . | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/modelops/serving, readOnly: true}
  - {name: models, mountPath: /models, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- include "common.connection.mount" .root | nindent 2 }}
{{- end -}}

{{- /* The chart's, with the model's own memory both guaranteed and as the limit. */ -}}
{{- define "common.scoringService.resources" -}}
{{- $resources := deepCopy .root.Values.resources -}}
{{- with .model.memory -}}
{{- $memory := dict "memory" . -}}
{{- $resources = mergeOverwrite $resources (dict "requests" $memory "limits" (deepCopy $memory)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}
