{{- /* An environment that the values name no more loses its accounts, and with them its jobs. One without accounts has been taken out
       before. */ -}}
{{- define "modelops.complaints.leaving" -}}
{{- if and .Release.IsUpgrade (.Capabilities.APIVersions.Has "tekton.dev/v1") }}
{{- $own := include "common.platform" . }}
{{- $named := concat (.Values.global.environments | default list) (.Values.environment.abandoned | default list) }}
{{- range (lookup "v1" "Namespace" "" "").items }}
{{- $name := .metadata.name }}
{{- $labels := .metadata.labels | default dict }}
{{- if and (eq $own (dig "modelops.dev/platform" "" $labels)) (hasKey $labels "modelops.dev/environment") (not (has $name $named)) (ne "Terminating" (dig "status" "phase" "" .)) }}
{{- if lookup "v1" "ServiceAccount" $name (include "common.runnerAccount" $) }}
{{- $jobs := list }}
{{- range (lookup "tekton.dev/v1" "PipelineRun" $name "").items }}
{{- $isFinished := false }}
{{- range dig "status" "conditions" (list) . }}
{{- if and (eq .type "Succeeded") (ne .status "Unknown") }}{{ $isFinished = true }}{{ end }}
{{- end }}
{{- if and (not $isFinished) (hasKey (.metadata.labels | default dict) "modelops.dev/job-id") }}{{ $jobs = append $jobs .metadata.name }}{{ end }}
{{- end }}
{{- with $jobs }}
global.environments: {{ $name }} is named no more and has {{ len . }} unfinished job{{ if gt (len .) 1 }}s{{ end }}: {{ join ", " (slice . 0 (min 10 (len .))) }}{{ if gt (len .) 10 }} and more{{ end }}; wait for them or cancel them, or name it in environment.abandoned: without the environment's accounts they fail, and nobody removes what they have started
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
