{{- define "modelops.complaints.images" -}}{{- /* what hooks, builds and deployment run on */ -}}
{{- $global := .Values.global }}
{{- if not $global.build.tools }}
global.build.tools: missing; the installation runs on the image container-tools, as <repository>@sha256:<64 hexadecimal digits>; `modelops images bootstrap` makes it
{{- end }}
{{- if $global.build.enabled }}
{{- if not $global.build.base }}
global.build.base: missing; it takes the image that builds start from, as builds name it; `modelops images bootstrap` writes it
{{- end }}
{{- if not $global.registry.push }}
global.registry.push: missing; it takes the registry as builds in the cluster name it
{{- end }}
{{- if not $global.registry.pull }}
global.registry.pull: missing; it takes the same registry as the nodes' container runtime names it
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.complaints.steps" -}}
{{- $steps := (include "modelops.steps" . | fromJson).steps }}
{{- $seen := dict "deploy" "the installation's last task" }}
{{- range $steps }}
{{- if hasKey $seen .name }}
{{ .at }}.name: {{ .name }} is the name of {{ index $seen .name }}
{{- end }}
{{- $_ := set $seen .name .at }}
{{- if eq (empty .containerfile) (empty .task) }}
{{ .at }}: {{ .name }} has {{ ternary "neither" "both" (empty .task) }} containerfile {{ ternary "nor" "and" (empty .task) }} task; a build step has one of the two
{{- end }}
{{- end }}
{{- $names := keys (omit $seen "deploy") | sortAlpha }}
{{- range $step := $steps }}
{{- range $index, $name := .after }}
{{- if not (has $name $names) }}
{{ $step.at }}.after[{{ $index }}]: no build is named {{ $name }} (there are: {{ join ", " $names }})
{{- end }}
{{- end }}
{{- end }}
{{- range (include "modelops.circles" . | fromJson).circles }}
builds: {{ join ", " . }} {{ ternary "waits for itself" "wait for each other" (eq (len .) 1) }}; name a way through without a circle in `after`
{{- end }}
{{ include "modelops.complaints.tasks" . }}
{{- end -}}

{{- define "modelops.complaints.tasks" -}}{{- /* custom Tasks must be there, each in the template `<chart>.tasks` of its chart */ -}}
{{- $made := dict }}
{{- range splitList "\n---" (include "modelops.customTasks" .) }}
{{- $name := dig "metadata" "name" "" (fromYaml .) }}
{{- if $name }}{{ $_ := set $made $name true }}{{ end }}
{{- end }}
{{- range (include "modelops.steps" . | fromJson).steps }}
{{- if and .task (not .containerfile) (not (hasKey $made .task)) }}
{{ .at }}.task: no chart makes a Task named {{ .task }} (there are: {{ keys $made | sortAlpha | join ", " }})
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.complaints.quota" -}}{{- /* a quota that holds no build: Tekton would ask for its pod until the time of all is over */ -}}
{{- $build := .Values.global.build }}
{{- $asked := include "common.size.resources" (dict "root" . "program" "build" "resources" $build.resources) | fromYaml }}
{{- $needed := dict "pods" 1 "cpu" $asked.requests.cpu "memory" $asked.requests.memory }}
{{- range $kind, $amounts := $asked }}
{{- range $name, $amount := $amounts }}{{ $_ := set $needed (printf "%s.%s" $kind $name) $amount }}{{ end }}
{{- end }}
{{- range $name, $hard := include "modelops.buildQuota" . | fromYaml }}
{{- $amount := index $needed $name }}
{{- if and $amount (gt (include "common.size.quantity" $amount | float64) (include "common.size.quantity" $hard | float64)) }}
global.build.quota: {{ $name }} {{ $hard }} has no room for one build, which takes {{ $amount }}; raise it, or lower global.build.resources
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.buildQuota" -}}
{{- mergeOverwrite (include "common.size.of" (dict "root" . "what" "builds") | fromYaml) .Values.global.build.quota | toYaml -}}
{{- end -}}
