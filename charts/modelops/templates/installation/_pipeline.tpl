{{- /* The installation as a Tekton Pipeline: the builds in waves, then the deployment. */ -}}
{{- define "modelops.pipeline" -}}
apiVersion: tekton.dev/v1
kind: Pipeline
metadata:
  {{- include "common.build.metadata" (dict "root" . "name" (include "modelops.installation" .)) | nindent 2 }}
spec:
  description: Builds the images of the platform {{ include "common.platform" . }} that its registry lacks, and installs its applications.
  workspaces:
    - {name: values, description: ConfigMap with the platform's values.}
  tasks:
    {{- $earlier := list }}
    {{- if include "common.makesImages" . }}
    {{- range (include "modelops.waves" . | fromJson).waves }}
    {{- range . }}
    {{- include "modelops.pipelineTask" (dict "root" $ "step" . "earlier" $earlier) | nindent 4 }}
    {{- end }}
    {{- $earlier = list }}
    {{- range . }}{{ $earlier = append $earlier .name }}{{ end }}
    {{- end }}
    {{- end }}
    - name: deploy
      taskRef: {kind: Task, name: {{ include "modelops.deploy" . }}}
      {{- with $earlier }}
      runAfter: {{ toJson . }}
      {{- end }}
      timeout: {{ include "modelops.deployMinutes" . }}m
      params:
        - name: images
          value: {{ include "modelops.images" . | trim }}
        - {name: registry, value: {{ .Values.global.registry.push | quote }}}
        - {name: pull-registry, value: {{ .Values.global.registry.pull | quote }}}
        - {name: release, value: {{ include "common.platformName" . | quote }}}
        - {name: namespace, value: {{ .Release.Namespace | quote }}}
        - {name: values-digest, value: "sha256:{{ include "modelops.values" . | sha256sum }}"}
      workspaces:
        - {name: values, workspace: values}
{{- end -}}

{{- define "modelops.pipelineTask" -}}{{- /* takes {root, step, earlier}: names of the wave before */ -}}
{{- $global := .root.Values.global -}}
- name: {{ .step.name }}
  taskRef: {kind: Task, name: {{ .step.task | default (include "modelops.imageBuild" .root) }}}
  {{- with .earlier }}
  runAfter: {{ toJson . }}
  {{- end }}
  timeout: {{ $global.build.stepMinutes }}m
  params:
    - name: step
      value: {{ omit .step "at" | toJson | toJson }}
    - {name: registry, value: {{ $global.registry.push | quote }}}
    - {name: pull-registry, value: {{ $global.registry.pull | quote }}}
    - {name: base, value: {{ $global.build.base | quote }}}
    - {name: tools, value: {{ include "modelops.toolsAsBuildsName" .root | quote }}}
    - name: earlier
      value: {{ include "modelops.results" (dict "names" .step.after "root" .root) | trim }}
    - {name: seconds, value: "{{ mul 60 (int $global.build.stepMinutes) }}"}
{{- end -}}

{{- define "modelops.results" -}}{{- /* takes {root, names}: <name>=<reference> of those that are built, as a JSON list */ -}}
{{- $built := dict -}}
{{- range (include "modelops.waves" .root | fromJson).waves }}{{ range . }}{{ $_ := set $built .name true }}{{ end }}{{ end -}}
{{- $references := list -}}
{{- range .names -}}
{{- if hasKey $built . }}{{ $references = append $references (printf "%s=$(tasks.%s.results.reference)" . .) }}{{ end -}}
{{- end -}}
{{- toJson $references -}}
{{- end -}}

{{- define "modelops.images" -}}{{- /* what the deployment is given; without builds the values name the images themselves */ -}}
{{- $names := list -}}
{{- if include "common.makesImages" . -}}
{{- range (include "modelops.waves" . | fromJson).waves }}{{ range . }}{{ $names = append $names .name }}{{ end }}{{ end -}}
{{- end -}}
{{- include "modelops.results" (dict "root" . "names" (sortAlpha $names)) -}}
{{- end -}}

{{- define "modelops.toolsAsBuildsName" -}}{{- /* the image container-tools with the registry's name as builds know it */ -}}
{{- $registry := .Values.global.registry -}}
{{- $tools := include "common.tools" . -}}
{{- if and $registry.pull (hasPrefix (printf "%s/" $registry.pull) $tools) -}}
{{- printf "%s/%s" $registry.push (trimPrefix (printf "%s/" $registry.pull) $tools) -}}
{{- else -}}
{{- $tools -}}
{{- end -}}
{{- end -}}

{{- define "modelops.deployMinutes" -}}{{- /* most that the deployment may take; helm gives up before */ -}}
15
{{- end -}}
