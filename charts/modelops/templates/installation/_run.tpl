{{- /* The values of the release as JSON, globals once: what the deployment renders the applications from. */ -}}
{{- define "modelops.values" -}}
{{- $values := dict -}}
{{- range $key, $value := omit .Values "common" -}}
{{- if and (ne $key "global") (kindIs "map" $value) }}{{ $value = omit $value "global" }}{{ end -}}
{{- $_ := set $values $key $value -}}
{{- end -}}
{{- toJson $values -}}
{{- end -}}

{{- define "modelops.contentDigest" -}}{{- /* equal content needs no second run */ -}}
{{- $parts := list (include "modelops.pipeline" .) (include "modelops.deployTask" .) (include "modelops.values" .) -}}
{{- if include "common.makesImages" . -}}
{{- $parts = concat $parts (list (include "modelops.imageBuildTask" .) (include "modelops.customTasks" .)) -}}
{{- end -}}
sha256:{{ join "\n---\n" $parts | sha256sum }}
{{- end -}}

{{- /* The PipelineRun as the hook creates it; the hook gives it its name. */ -}}
{{- define "modelops.run" -}}
{{- $waves := len (include "modelops.waves" . | fromJson).waves -}}
{{- $minutes := include "modelops.deployMinutes" . | int -}}
{{- if include "common.makesImages" . }}{{ $minutes = add $minutes (mul $waves (int .Values.global.build.stepMinutes)) }}{{ end -}}
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata:
  namespace: {{ include "common.buildNamespace" . }}
  labels:
    {{- include "common.labels" . | nindent 4 }}
    modelops.dev/installation: {{ include "common.platformName" . }}
  annotations:
    modelops.dev/content-digest: {{ include "modelops.contentDigest" . }}
spec:
  pipelineRef: {name: {{ include "modelops.installation" . }}}
  # Tekton: pipeline >= tasks + finally
  timeouts: {pipeline: {{ add $minutes 2 }}m, tasks: {{ $minutes }}m, finally: 1m}
  taskRunTemplate:
    serviceAccountName: {{ include "modelops.builder" . }}
    podTemplate:
      {{- include "modelops.podTemplate" . | nindent 6 }}
      automountServiceAccountToken: false
  taskRunSpecs:
    - pipelineTaskName: deploy
      serviceAccountName: {{ include "modelops.deployer" . }}
      podTemplate:
        {{- include "modelops.podTemplate" . | nindent 8 }}
        # Tekton fills in what is not said here from the template above
        automountServiceAccountToken: true
        securityContext:
          {{- include "common.pod.securityContext" . | nindent 10 }}
  workspaces:
    - name: values
      configMap: {name: {{ include "modelops.platformValues" . }}}
{{- end -}}

{{- define "modelops.podTemplate" -}}
enableServiceLinks: false
{{- include "common.pullSecrets" . }}
{{- end -}}
