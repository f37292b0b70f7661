{{- /* The issuer whose tokens an application accepts: one variable per field of OidcSettings in scheduler/settings.py. */ -}}
{{- define "common.application.oidc" -}}
{{- with .Values.global.oidc }}
{{- if .issuer }}
- {name: MODELOPS_OIDC_ISSUER, value: {{ .issuer | quote }}}
- {name: MODELOPS_OIDC_AUDIENCE, value: {{ .audience | quote }}}
- {name: MODELOPS_OIDC_ALGORITHMS, value: {{ join "," .algorithms | quote }}}
- {name: MODELOPS_OIDC_USERNAME_CLAIM, value: {{ .usernameClaim | quote }}}
- {name: MODELOPS_OIDC_USERNAME_PREFIX, value: {{ .usernamePrefix | quote }}}
- {name: MODELOPS_OIDC_GROUPS_CLAIM, value: {{ .groupsClaim | quote }}}
- {name: MODELOPS_OIDC_GROUPS_PREFIX, value: {{ .groupsPrefix | quote }}}
- {name: MODELOPS_OIDC_CA_BUNDLE, value: {{ .caBundle | quote }}}
{{- end }}
{{- end }}
{{- end -}}
