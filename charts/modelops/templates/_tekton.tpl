{{- /* What a Tekton must be; objects of the cluster are looked up as in _validate.tpl. */ -}}
{{- define "modelops.complaints.tekton" -}}
{{- if and (include "common.makesObjects" .) .Values.global.tekton.check }}
{{- if not (.Capabilities.APIVersions.Has "tekton.dev/v1") }}
Tekton: the cluster does not serve tekton.dev/v1; install Tekton Pipelines 1.15 or newer first (`helm template` is told of it by --api-versions tekton.dev/v1)
{{- else if include "common.makesPrerequisites" . }}
{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "pipelineruns.tekton.dev" }}
{{- $labels := dig "metadata" "labels" (dict) $crd }}
{{- $version := index $labels "pipeline.tekton.dev/release" | default (index $labels "version") | default "" | trimPrefix "v" }}
{{- if and (regexMatch "^[0-9]+[.]" $version) (semverCompare "<1.15.0-0" $version) }}
Tekton: the cluster runs version {{ $version }}; the platform needs 1.15 or newer
{{- end }}
{{ include "modelops.complaints.webhook" . }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.complaints.webhook" -}}{{- /* whose silence lets the API server take no object of Tekton */ -}}
{{- $hook := "validation.webhook.pipeline.tekton.dev" }}
{{- range (lookup "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" "" $hook).webhooks }}
{{- with .clientConfig.service }}
{{- $service := .name }}
{{- $answers := dict }}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" .namespace "").items }}
{{- if eq $service (dig "labels" "kubernetes.io/service-name" "" .metadata) }}
{{- range .endpoints }}{{ if dig "conditions" "ready" true . }}{{ $_ := set $answers "is" true }}{{ end }}{{ end }}
{{- end }}
{{- end }}
{{- if not $answers }}
Tekton: its webhook does not answer, and nothing of Tekton can be made without it; see why: kubectl --namespace {{ .namespace }} get pods,endpointslices
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
