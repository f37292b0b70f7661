{{- /* Which objects a release holds: the face `builds` in one or two parts, or the face `applications`. Each is "true" or empty. */ -}}

{{- define "common.makesPrerequisites" -}}{{- /* what Kubernetes' namespaced role `admin` may not make, or not give */ -}}
{{- if and (eq .Values.global.render "builds") (ne (include "common.prerequisites" .) "exclude") -}}true{{- end -}}
{{- end -}}

{{- define "common.makesObjects" -}}{{- /* the rest of the face `builds` */ -}}
{{- if and (eq .Values.global.render "builds") (ne (include "common.prerequisites" .) "only") -}}true{{- end -}}
{{- end -}}

{{- define "common.makesImages" -}}{{- /* whether the installation builds its images itself */ -}}
{{- if and (include "common.makesObjects" .) (dig "build" "enabled" false .Values.global) -}}true{{- end -}}
{{- end -}}

{{- define "common.prerequisites" -}}
{{- dig "prerequisites" "include" .Values.global -}}
{{- end -}}
