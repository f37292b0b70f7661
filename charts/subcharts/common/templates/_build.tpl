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
image: {{ $build.tools | quote }}
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
# buildah needs root inside the pod, with a container's usual capabilities and none beside them; the step alone, never the pod. No
# seccomp profile: the runtime's own one keeps unshare and mount from a pod without SYS_ADMIN, and buildah needs both.
securityContext:
  runAsUser: 0
  runAsGroup: 0
  runAsNonRoot: false
  privileged: false
volumeMounts:
  - {name: containers, mountPath: /var/lib/containers}
  - {name: tmp, mountPath: /tmp}
  {{- if $build.settingsSecret }}
  - {name: settings, mountPath: /run/modelops/settings, readOnly: true}
  {{- end }}
  {{- if $build.pushSecret }}
  - {name: docker, mountPath: /run/modelops/docker, readOnly: true}
  {{- end }}
  {{- include "common.connection.mount" .root | nindent 2 }}
{{- end -}}
