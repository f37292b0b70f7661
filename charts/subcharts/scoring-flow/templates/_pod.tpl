{{- define "scoring-flow.pod" -}}
serviceAccountName: {{ .Values.global.accounts.scoring }}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: Never
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- include "common.priority" . }}
{{- include "common.pullSecrets" . }}
securityContext:
  {{- include "common.pod.securityContext" . | nindent 2 }}
containers:
  - {{- include "scoring-flow.container" . | nindent 4 }}
volumes:
  - name: config
    configMap:
      name: {{ include "scoring-flow.fullname" . }}
  - name: scratch
    emptyDir:
      sizeLimit: {{ .Values.scratchSize }}
  - name: tmp
    emptyDir:
      sizeLimit: {{ .Values.tmpSize }}
  {{- include "common.connection.volume" . | nindent 2 }}
  {{- range .Values.flow.volumes }}
  - name: {{ printf "data-%s" .name | quote }}
    persistentVolumeClaim:
      claimName: {{ .claim | quote }}
      readOnly: {{ .readOnly | default false }}
  {{- end }}
{{- end -}}

{{- define "scoring-flow.container" -}}
name: flow
image: {{ include "common.image" (dict "root" . "program" "streaming-runtime") }}
command: [python3, -m, scheduler.flow]
securityContext:
  {{- include "common.container.securityContext" . | nindent 2 }}
# at most 1 KB of JSON with outcome and ledger; the job's index comes as JOB_COMPLETION_INDEX from Kubernetes
terminationMessagePolicy: File
env:
  {{- include "common.environment" . | nindent 2 }}
  {{- include "common.connection.caEnvironment" . | nindent 2 }}
  - name: MODELOPS_RELEASE
    value: {{ .Release.Name | quote }}
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - name: POD_UID
    valueFrom: {fieldRef: {fieldPath: metadata.uid}}
  {{- include "common.secretEnvironment" .Values.flow.env | nindent 2 }}
ports:
  - {name: control, containerPort: 4196, protocol: TCP}
startupProbe:
  httpGet: {path: /healthz, port: control}
  periodSeconds: 1
  failureThreshold: {{ .Values.startSeconds }}
readinessProbe:
  httpGet: {path: /healthz, port: control}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /healthz, port: control}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  - {name: config, mountPath: /etc/modelops/flow, readOnly: true}
  - {name: scratch, mountPath: /scratch}
  - {name: tmp, mountPath: /tmp}
  {{- include "common.connection.mount" . | nindent 2 }}
  {{- range .Values.flow.volumes }}
  - name: {{ printf "data-%s" .name | quote }}
    mountPath: {{ printf "/data/%s" .claim | quote }}
    readOnly: {{ .readOnly | default false }}
  {{- end }}
{{- end -}}
