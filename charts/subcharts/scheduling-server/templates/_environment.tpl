{{- /* The server's settings, one variable per field of scheduler/settings.py. */ -}}
{{- define "scheduling-server.environment" -}}
{{- $global := .Values.global -}}
{{- $images := list -}}
{{- range $program, $reference := $global.images }}{{ $images = append $images (printf "%s=%s" $program $reference) }}{{ end -}}
{{- $secrets := list -}}
{{- range $global.imagePullSecrets }}{{ $secrets = append $secrets .name }}{{ end -}}
- {name: MODELOPS_ENVIRONMENTS, value: {{ join "," $global.environments | quote }}}
- {name: MODELOPS_NAMESPACE, value: {{ .Release.Namespace | quote }}}
- {name: MODELOPS_PLATFORM, value: {{ include "common.platform" . | quote }}}
- {name: MODELOPS_TASK_IMAGE, value: {{ include "common.image" (dict "root" . "program" .Chart.Name) }}}
- {name: MODELOPS_TASK_PRIORITY_CLASS, value: {{ include "common.taskPriorityClass" . | quote }}}
- {name: MODELOPS_IMAGES, value: {{ join "," $images | quote }}}
- {name: MODELOPS_REGISTRY_PULL, value: {{ $global.registry.pull | quote }}}
- {name: MODELOPS_IMAGE_PULL_SECRETS, value: {{ join "," $secrets | quote }}}
- {name: MODELOPS_LOG_LEVEL, value: {{ $global.logLevel | quote }}}
- {name: MODELOPS_TRACE_ENDPOINT, value: {{ $global.trace.endpoint | quote }}}
- {name: MODELOPS_TRACE_SAMPLE_RATIO, value: {{ $global.trace.sampleRatio | quote }}}
- {name: MODELOPS_ARTIFACT_STORE_URL, value: {{ include "common.artifactStore.url" . | quote }}}
- {name: MODELOPS_GIT_SERVER_URL, value: {{ $global.gitServer.url | quote }}}
{{- with include "common.connection.ca" . }}
- {name: MODELOPS_CA_BUNDLE, value: {{ printf "%s/%s" . $global.caBundle.key | quote }}}
{{- end }}
{{- range $key, $value := $global.proxy }}
{{- with $value }}
- {name: MODELOPS_PROXY_{{ upper $key }}, value: {{ . | quote }}}
{{- end }}
{{- end }}
- {name: MODELOPS_SERVER_URL, value: {{ include "common.artifactStore.url" . | quote }}}
- {name: MODELOPS_TOKEN_CACHE_SECONDS, value: {{ .Values.tokenCacheSeconds | quote }}}
- {name: MODELOPS_JANITOR_ENABLED, value: {{ .Values.janitor.enabled | quote }}}
- {name: MODELOPS_JANITOR_DRY_RUN, value: {{ .Values.janitor.dryRun | quote }}}
- {name: MODELOPS_JANITOR_PERIOD_SECONDS, value: {{ .Values.janitor.periodSeconds | quote }}}
{{- include "common.application.oidc" . }}
{{- end -}}
