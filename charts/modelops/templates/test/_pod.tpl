{{- define "modelops.testPod" -}}
serviceAccountName: {{ include "modelops.test" . }}
automountServiceAccountToken: false
enableServiceLinks: false
restartPolicy: Never
terminationGracePeriodSeconds: 10
{{- include "common.pullSecrets" . }}
securityContext:
  {{- include "common.pod.securityContext" . | nindent 2 }}
containers:
  - name: test
    image: {{ include "common.tools" . | quote }}
    command: [python3, -m, scheduler]
    args: [job, start, --ir, /etc/modelops/test, --environment, {{ first (.Values.global.environments | default list) | default "" | quote }}, --watch]
    env:
      - {name: HOME, value: /tmp}
      - {name: MODELOPS_LOG_LEVEL, value: {{ .Values.global.logLevel | quote }}}
      - {name: MODELOPS_URL, value: {{ include "common.schedulingServer.url" . | quote }}}
      - {name: MODELOPS_TOKEN_FILE, value: /var/run/secrets/modelops/token}
    terminationMessagePolicy: FallbackToLogsOnError
    resources:
      requests: {cpu: 20m, memory: 96Mi}
      limits: {cpu: "1", memory: 384Mi}
    securityContext:
      {{- include "common.container.securityContext" . | nindent 6 }}
    volumeMounts:
      # the file alone: a mounted ConfigMap holds it once more, below `..data`
      - {name: ir, mountPath: /etc/modelops/test/pipeline.yaml, subPath: pipeline.yaml, readOnly: true}
      - {name: modelops-token, mountPath: /var/run/secrets/modelops, readOnly: true}
      - {name: tmp, mountPath: /tmp}
volumes:
  - name: ir
    configMap: {name: {{ include "modelops.test" . }}}
  - name: modelops-token
    projected:
      sources:
        - serviceAccountToken: {audience: modelops, expirationSeconds: 600, path: token}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
{{- end -}}
