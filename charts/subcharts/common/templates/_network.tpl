{{- define "common.egress.dns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{- /* The API server has no pod that a selector could find: ports, and addresses where global.apiServer.cidrs names them. */ -}}
{{- define "common.egress.apiServer" -}}
- ports:
    {{- range .Values.global.apiServer.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .Values.global.apiServer.cidrs }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  {{- end }}
{{- end -}}

{{- /* Egress to a URL: pods of a namespace where the host is <service>.<namespace>.svc, else its port wherever it is. */ -}}
{{- define "common.egress.url" -}}
{{- $url := urlParse . -}}
{{- /* what stands behind the host, which may be an IPv6 address in brackets */ -}}
{{- $given := regexReplaceAll "^([[].*[]]|[^:]*):?" $url.host "" -}}
{{- $port := $given | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- $parts := splitList "." $url.hostname -}}
- ports:
    - {protocol: TCP, port: {{ $port }}}
  {{- if and (ge (len $parts) 3) (eq (index $parts 2 | default "") "svc") }}
  to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ index $parts 1 | quote }}
  {{- end }}
{{- end -}}
