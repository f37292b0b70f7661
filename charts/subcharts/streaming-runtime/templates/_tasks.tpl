{{- /* A custom build step: Bento is compiled from its Go modules, into an image that holds the one program. */ -}}
{{- define "streaming-runtime.tasks" -}}
apiVersion: tekton.dev/v1
kind: Task
metadata:
  {{- include "common.build.metadata" (dict "root" . "name" "compile-bento") | nindent 2 }}
spec:
  description: Compiles Bento with the components of scheduler/flow/bento, and pushes it as an image from scratch with /bento alone.
  {{- include "common.build.interface" . | nindent 2 }}
  steps:
    - {{- include "common.build.step" (dict "root" . "program" "compile") | nindent 6 }}
{{- end -}}
