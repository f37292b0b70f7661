{{- /* A custom build step: the program is packed into one file by the chart's own script, and pushed as an image from scratch. */ -}}
{{- define "scoring-server-linear-csv.tasks" -}}
apiVersion: tekton.dev/v1
kind: Task
metadata:
  {{- include "common.build.metadata" (dict "root" . "name" "pack-linear-csv") | nindent 2 }}
spec:
  description: Packs the linear-csv server into one file, and pushes it as an image from scratch with /linear_csv.pyz alone.
  {{- include "common.build.interface" . | nindent 2 }}
    - name: sources
      configMap: {name: linear-csv-sources}
  steps:
    - name: pack
      image: {{ .Values.global.build.tools | quote }}
      command: [python3, /sources/pack.py]
      args:
        - --step=$(params.step)
        - --registry=$(params.registry)
        - --reference=$(results.reference.path)
        - --outcome=$(results.outcome.path)
        - --tls-verify={{ .Values.tlsVerify }}
      env:
        - {name: HOME, value: /tmp}
        {{- if .Values.global.build.pushSecret }}
        - {name: REGISTRY_AUTH_FILE, value: /run/modelops/docker/config.json}
        {{- end }}
        {{- include "common.connection.environment" . | nindent 8 }}
      computeResources:
        requests: {cpu: 100m, memory: 128Mi}
        limits: {cpu: "1", memory: 512Mi}
      securityContext:
        {{- include "common.build.securityContext.build" . | nindent 8 }}
      volumeMounts:
        - {name: sources, mountPath: /sources, readOnly: true}
        - {name: containers, mountPath: /var/lib/containers}
        - {name: tmp, mountPath: /tmp}
        {{- if .Values.global.build.pushSecret }}
        - {name: docker, mountPath: /run/modelops/docker, readOnly: true}
        {{- end }}
        {{- include "common.connection.mount" . | nindent 8 }}
{{- end -}}
