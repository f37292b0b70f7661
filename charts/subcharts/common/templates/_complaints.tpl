{{- /* Each complaint is one line; a chart gathers those that concern it, and `common.refuse` fails once with all of them. */ -}}

{{- define "common.complaints.image" -}}{{- /* takes {root, program}; only an installation that builds does without images */ -}}
{{- $isBuilt := dig "build" "enabled" true .root.Values.global }}
{{- if or (ne .root.Values.global.render "builds") (and (include "common.makesObjects" .root) (not $isBuilt)) }}
{{- $reference := index (.root.Values.global.images | default dict) .program | default "" -}}
{{- if not $reference }}
global.images.{{ .program }}: missing; it takes the image of {{ .program }}, as <repository>@sha256:<64 hexadecimal digits>
{{- else if not (regexMatch "@sha256:[0-9a-f]{64}$" $reference) }}
global.images.{{ .program }}: {{ $reference }} has no digest; it takes <repository>@sha256:<64 hexadecimal digits>
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.complaints.resources" -}}{{- /* takes {root, program, resources, at}: the API server refuses a request above its limit */ -}}
{{- $at := .at }}
{{- $whole := include "common.size.resources" . | fromYaml }}
{{- range $name, $asked := $whole.requests }}
{{- $limit := index $whole.limits $name }}
{{- if and $asked $limit (gt (include "common.size.quantity" $asked | float64) (include "common.size.quantity" $limit | float64)) }}
{{ $at }}.requests.{{ $name }}: {{ $asked }} is more than the limit of {{ $limit }}; raise the limit, or ask for less
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.complaints.job" -}}{{- /* takes the root of a chart with a job face */ -}}
{{- if eq .Values.global.render "job" }}
{{- if not .Values.global.job }}
global.job: missing; it says which job the release is: id, environment, pipeline, mode, irDigest
{{- end }}
{{- with .Values.global.job }}
{{- if ne .id $.Release.Name }}
global.job.id: {{ .id }} is not the release's name; a job is installed as the release {{ .id }} (here: {{ $.Release.Name }})
{{- end }}
{{- if ne .environment $.Release.Namespace }}
global.job.environment: {{ .environment }} is not the release's namespace (here: {{ $.Release.Namespace }})
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.complaints.platform" -}}{{- /* takes the root of an application's chart */ -}}
{{- $name := include "common.platformName" . }}
{{- if gt (len $name) 40 }}
release name: {{ $name }} has {{ len $name }} characters; names of the platform's objects allow 40
{{- end }}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $name) }}
release name: {{ $name }} cannot name Services; it takes a-z, 0-9 and '-', the first a letter, the last no '-'
{{- end }}
{{- if and (eq .Values.global.render "builds") (or (hasSuffix "-apps" $name) (hasSuffix "-apps" .Release.Name)) }}
release name: a name that ends in -apps is that of another platform's applications, and would go with them; choose another name
{{- end }}
{{- $builds := include "common.buildNamespace" . }}
{{- if gt (len $builds) 63 }}
global.build.namespace: {{ $builds }} has {{ len $builds }} characters, and a namespace at most 63; set a shorter one
{{- end }}
{{- if gt (len (include "common.platform" .)) 63 }}
release name and namespace: {{ include "common.platform" . }} is a label's value and has more than 63 characters
{{- end }}
{{- with .Values.global.oidc }}
{{- if and .issuer (not .audience) }}
global.oidc.audience: missing; without it tokens that {{ .issuer }} made for anybody else would be accepted
{{- end }}
{{- end }}
{{- range $name := .Values.global.environments }}
{{- if eq $name $.Release.Namespace }}
global.environments: {{ $name }} is the platform's own namespace; jobs run in namespaces of their own
{{- end }}
{{- end }}
{{- end -}}

{{- /* Fails with all complaints at once. Below an umbrella a chart leaves that to the umbrella, which gathers those of all its
       charts. Takes {root, complaints}: complaints as text, one a line. */ -}}
{{- define "common.refuse" -}}
{{- $complaints := compact (splitList "\n" .complaints) | uniq -}}
{{- if and $complaints .root.Chart.IsRoot -}}
{{- printf "chart %s refuses these values:\n  %s" .root.Chart.Name (join "\n  " $complaints) | fail -}}
{{- end -}}
{{- end -}}

{{- define "common.complaints.subcharts" -}}{{- /* takes an umbrella's root; each of its charts defines <chart>.complaints */ -}}
{{- range $name, $chart := .Subcharts }}
{{- if ne $name "common" }}
{{- range compact (splitList "\n" (include (printf "%s.complaints" $name) $chart)) }}
{{ if not (regexMatch "^(global\\.|release name)" .) }}{{ $name }}.{{ end }}{{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
