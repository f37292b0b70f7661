{{- /* The build steps of all charts that are enabled, and their order. The programs order them by the same rule (scheduler/images/plan.py). */ -}}

{{- define "modelops.steps" -}}{{- /* {"steps": [step with `chart`, and `at`: where it stands]}, as JSON */ -}}
{{- $steps := list }}
{{- range $name, $chart := .Subcharts }}
{{- range $index, $step := $chart.Values.builds }}
{{- $steps = append $steps (merge (dict "chart" $name "at" (printf "%s.builds[%d]" $name $index)) $step) }}
{{- end }}
{{- end }}
{{- dict "steps" $steps | toJson }}
{{- end -}}

{{- /* {"waves": [[step]]}, as JSON: each wave holds at most global.build.parallel steps, by name, all of whose `after` stand in waves
       before. A name that no step has holds nobody up; steps that wait for each other are in no wave. */ -}}
{{- define "modelops.waves" -}}
{{- $byName := dict }}
{{- $placed := dict }}
{{- range (include "modelops.steps" . | fromJson).steps }}
{{- if .bootstrap }}{{ $_ := set $placed .name true }}{{ else }}{{ $_ := set $byName .name . }}{{ end }}
{{- end }}
{{- $waiting := keys $byName | sortAlpha }}
{{- $waves := list }}
{{- range until (len $waiting) }}
{{- $wave := list }}
{{- $later := list }}
{{- range $name := $waiting }}
{{- $step := index $byName $name }}
{{- $isReady := lt (len $wave) (int $.Values.global.build.parallel) }}
{{- range $step.after }}{{ if and (hasKey $byName .) (not (hasKey $placed .)) }}{{ $isReady = false }}{{ end }}{{ end }}
{{- if $isReady }}{{ $wave = append $wave $step }}{{ else }}{{ $later = append $later $name }}{{ end }}
{{- end }}
{{- range $wave }}{{ $_ := set $placed .name true }}{{ end }}
{{- if $wave }}{{ $waves = append $waves $wave }}{{ end }}
{{- $waiting = $later }}
{{- end }}
{{- dict "waves" $waves | toJson }}
{{- end -}}

{{- define "modelops.circles" -}}{{- /* {"circles": [[name]]}, as JSON: steps that all wait for each other, by name */ -}}
{{- $behind := dict }}
{{- range (include "modelops.steps" . | fromJson).steps }}
{{- if not .bootstrap }}
{{- $_ := set $behind .name (concat (index $behind .name | default list) (.after | default list) | uniq) }}
{{- end }}
{{- end }}
{{- /* from what a step names to all that it waits for: at least one step further in each round */ -}}
{{- range $behind }}
{{- range $name, $after := $behind }}
{{- $more := $after }}
{{- range $after }}{{ $more = concat $more (index $behind . | default list) }}{{ end }}
{{- $_ := set $behind $name (uniq $more) }}
{{- end }}
{{- end }}
{{- $circles := list }}
{{- range $name := keys $behind | sortAlpha }}
{{- $circle := list }}
{{- range $other := index $behind $name | sortAlpha }}
{{- if has $name (index $behind $other | default list) }}{{ $circle = append $circle $other }}{{ end }}
{{- end }}
{{- if $circle }}{{ $circles = append $circles $circle }}{{ end }}
{{- end }}
{{- dict "circles" (uniq $circles) | toJson }}
{{- end -}}

{{- define "modelops.customTasks" -}}{{- /* text of the custom Tasks of all enabled charts */ -}}
{{- $charts := dict }}
{{- range (include "modelops.steps" . | fromJson).steps }}
{{- if and .task (not .containerfile) }}{{ $_ := set $charts .chart true }}{{ end }}
{{- end }}
{{- range $name := keys $charts | sortAlpha }}
---
{{ include (printf "%s.tasks" $name) (index $.Subcharts $name) }}
{{- end }}
{{- end -}}
