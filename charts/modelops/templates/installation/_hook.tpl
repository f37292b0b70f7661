{{- define "modelops.hookJob" -}}{{- /* takes {root, program, when, args} */ -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "modelops.hook" . }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "common.labels" .root | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .when }}
    # a hook that failed stays, with its words
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 0
  # helm waits for 300 s unless it is told otherwise; what the program may take leaves its pod a minute to start
  activeDeadlineSeconds: 290
  template:
    metadata:
      labels:
        {{- include "common.labels" .root | nindent 8 }}
    spec:
      {{- include "modelops.hookPod" . | nindent 6 }}
{{- end -}}

{{- define "modelops.hookPod" -}}
serviceAccountName: {{ include "modelops.installer" .root }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
terminationGracePeriodSeconds: 30
{{- include "common.pullSecrets" .root }}
securityContext:
  {{- include "common.pod.securityContext" . | nindent 2 }}
containers:
  - name: {{ .program }}
    image: {{ include "common.tools" .root | quote }}
    command: [python3, -m, scheduler.installation, {{ .program }}]
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      - {name: HOME, value: /tmp}
      - {name: MODELOPS_LOG_LEVEL, value: {{ .root.Values.global.logLevel | quote }}}
    terminationMessagePolicy: FallbackToLogsOnError
    resources:
      requests: {cpu: 20m, memory: 96Mi}
      limits: {cpu: "1", memory: 384Mi}
    securityContext:
      {{- include "common.container.securityContext" . | nindent 6 }}
    volumeMounts:
      {{- if eq .program "start" }}
      - {name: run, mountPath: /etc/modelops, readOnly: true}
      {{- end }}
      - {name: tmp, mountPath: /tmp}
volumes:
  {{- if eq .program "start" }}
  - name: run
    configMap: {name: {{ include "modelops.installation" .root }}}
  {{- end }}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
{{- end -}}
