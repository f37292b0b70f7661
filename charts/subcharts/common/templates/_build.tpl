{{- /* What every Task that builds an image consists of: the platform's own, and the custom Tasks of sub-charts. A custom Task is the
       template `<chart>.tasks`, rendered by that chart where `common.makesImages` says so. All take the chart's root. */ -}}

{{- define "common.build.metadata" -}}{{- /* takes {root, name} */ -}}
name: {{ .name }}
namespace: {{ include "common.buildNamespace" .root }}
labels:
  {{- include "common.labels" .root | nindent 2 }}
{{- end -}}

{{- define "common.build.interface" -}}{{- /* params, results and volumes of the Task */ -}}
params:
  - {name: step, type: string, description: "JSON of the build step, with the chart that declares it."}
  - {name: registry, type: string, description: Registry as builds name it.}
  - {name: pull-registry, type: string, description: The same registry as the nodes name it.}
  - {name: base, type: string, description: Image that builds start from.}
  - {name: tools, type: string, description: "The image container-tools by digest, as builds name it."}
  - {name: earlier, type: array, description: "Images that came first, each as <name>=<reference>."}
  - {name: seconds, type: string, description: "Most that the build may take: the task's timeout."}
results:
  - {name: reference, type: string, description: "<registry>/modelops/<name>@sha256:<hex>."}
  - {name: outcome, type: string, description: "JSON of at most 1 KB: state, seconds, tag, message."}
volumes:
  - name: containers
    emptyDir: {sizeLimit: {{ .Values.global.build.storage }}}
  - name: tmp
    emptyDir: {sizeLimit: 4Gi}
  {{- with .Values.global.build.settingsSecret }}
  - name: settings
    secret: {secretName: {{ . | quote }}}
  {{- end }}
  {{- with .Values.global.build.pushSecret }}
  - name: docker
    secret:
      secretName: {{ . | quote }}
      items: [{key: .dockerconfigjson, path: config.json}]
  {{- end }}
  {{- include "common.connection.volume" . | nindent 2 }}
{{- end -}}

{{- define "common.build.step" -}}{{- /* takes {root, program}: a program of scheduler.installation with the options of every build */ -}}
{{- $build := .root.Values.global.build -}}
name: {{ .program }}
image: {{ include "common.tools" .root | quote }}
# the program itself, no shell and no script: it gets SIGTERM, and says what became of the image before it ends
command: [python3, -m, scheduler.installation, {{ .program }}]
args:
  - --step=$(params.step)
  - --registry=$(params.registry)
  - --pull-registry=$(params.pull-registry)
  - --base=$(params.base)
  - --tools=$(params.tools)
  - --result=$(results.reference.path)
  - --outcome=$(results.outcome.path)
  - --seconds=$(params.seconds)
  - $(params.earlier[*])
env:
  - {name: HOME, value: /tmp}
  - {name: MODELOPS_LOG_LEVEL, value: {{ .root.Values.global.logLevel | quote }}}
  {{- if $build.pushSecret }}
  - {name: REGISTRY_AUTH_FILE, value: /run/modelops/docker/config.json}
  {{- end }}
  {{- include "common.connection.environment" .root | nindent 2 }}
computeResources:
  {{- include "common.size.resources" (dict "root" .root "program" "build" "resources" $build.resources) | nindent 2 }}
securityContext:
  {{- include (printf "common.build.securityContext.%s" .program) .root | nindent 2 }}
volumeMounts:
  {{- if eq .program "build" }}
  - {name: containers, mountPath: /var/lib/containers}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
  {{- if $build.settingsSecret }}
  - {name: settings, mountPath: /run/modelops/settings, readOnly: true}
  {{- end }}
  {{- if $build.pushSecret }}
  - {name: docker, mountPath: /run/modelops/docker, readOnly: true}
  {{- end }}
  {{- include "common.connection.mount" .root | nindent 2 }}
{{- end -}}

{{- /* buildah is root inside the pod; the step alone, never the pod. Its first act is a user namespace, in which it has all capabilities
       over the pod's own files and none outside of it; to map the pod's users into that namespace, root among them, takes these three
       (user_namespaces(7)). No seccomp profile: the runtime's own one keeps unshare and mount from a pod without SYS_ADMIN, and RUN
       needs both. */ -}}
{{- define "common.build.securityContext.build" -}}
runAsUser: 0
runAsGroup: 0
runAsNonRoot: false
privileged: false
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
  add: [SETFCAP, SETGID, SETUID]
{{- end -}}

{{- /* a compiler needs nothing, and the image of one program is written without buildah */ -}}
{{- define "common.build.securityContext.compile" -}}
{{- include "common.container.securityContext" . }}
runAsGroup: 10001
{{- end -}}
