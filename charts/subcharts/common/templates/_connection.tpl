{{- /* How our pods reach what lies outside the cluster: certificates that they trust, and the proxy. All take the chart's root. */ -}}

{{- define "common.connection.ca" -}}{{- /* name of the ConfigMap with the certificates, in the pod's own namespace; empty: none */ -}}
{{- dig "caBundle" "configMap" "" .Values.global -}}
{{- end -}}

{{- define "common.connection.environment" -}}
{{- if include "common.connection.ca" . }}
{{- range list "SSL_CERT_FILE" "REQUESTS_CA_BUNDLE" "CURL_CA_BUNDLE" "GIT_SSL_CAINFO" }}
- {name: {{ . }}, value: /etc/modelops/ca/ca.crt}
{{- end }}
{{- end }}
{{- $proxy := dig "proxy" (dict) .Values.global }}
{{- if or $proxy.http $proxy.https }}
{{- /* what lies inside the cluster is never asked of the proxy; Kubernetes itself fills in its address */}}
{{- $direct := compact (list "localhost" "127.0.0.1" ".svc" ".cluster.local" "$(KUBERNETES_SERVICE_HOST)" $proxy.except) | join "," }}
{{- range $name, $value := dict "HTTP_PROXY" $proxy.http "HTTPS_PROXY" $proxy.https "NO_PROXY" $direct }}
{{- if $value }}
- {name: {{ $name }}, value: {{ $value | quote }}}
- {name: {{ lower $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "common.connection.mount" -}}
{{- if include "common.connection.ca" . }}
- {name: ca, mountPath: /etc/modelops/ca, readOnly: true}
{{- end }}
{{- end -}}

{{- define "common.connection.volume" -}}
{{- with include "common.connection.ca" . }}
- name: ca
  configMap:
    name: {{ . | quote }}
    items: [{key: {{ dig "caBundle" "key" "ca.crt" $.Values.global | quote }}, path: ca.crt}]
{{- end }}
{{- end -}}

{{- define "common.connection.egress" -}}{{- /* NetworkPolicy rules to the proxy */ -}}
{{- $proxy := dig "proxy" (dict) .Values.global }}
{{- range compact (list $proxy.http $proxy.https) | uniq }}
{{ include "common.egress.url" . }}
{{- end }}
{{- end -}}
