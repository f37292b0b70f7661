{{- /* The platform's own Tasks; custom ones are their charts' (common, _build.tpl). */ -}}

{{- define "modelops.imageBuildTask" -}}
apiVersion: tekton.dev/v1
kind: Task
metadata:
  {{- include "common.build.metadata" (dict "root" . "name" (include "modelops.imageBuild" .)) | nindent 2 }}
spec:
  description: Builds one image from its Containerfile and pushes it, unless the registry holds its content already.
  {{- include "common.build.interface" . | nindent 2 }}
  steps:
    - {{- include "common.build.step" (dict "root" . "program" "build") | nindent 6 }}
{{- end -}}

{{- define "modelops.deployTask" -}}
apiVersion: tekton.dev/v1
kind: Task
metadata:
  {{- include "common.build.metadata" (dict "root" . "name" (include "modelops.deploy" .)) | nindent 2 }}
spec:
  description: Installs or upgrades the release of the applications, or leaves what runs as it is.
  params:
    - {name: images, type: array, description: "All images, each as <name>=<reference>; none when the values name them."}
    - {name: registry, type: string, description: Registry as builds name it.}
    - {name: pull-registry, type: string, description: The same registry as the nodes name it.}
    - {name: release, type: string, description: Name of the platform.}
    - {name: namespace, type: string, description: Namespace of the platform.}
    - {name: values-digest, type: string, description: "Digest that the values must have, sha256:<hex>."}
  workspaces:
    - {name: values, description: ConfigMap with values.json., mountPath: /workspace/values, readOnly: true}
  results:
    - {name: outcome, type: string, description: "JSON of at most 1 KB: state, seconds, message."}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 256Mi}
  steps:
    - name: deploy
      image: {{ include "common.tools" . | quote }}
      # the program itself, no shell and no script: it gets SIGTERM and ends its helm before it ends
      command: [python3, -m, scheduler.installation, deploy]
      args:
        - --release=$(params.release)
        - --namespace=$(params.namespace)
        - --values=$(workspaces.values.path)/values.json
        - --values-digest=$(params.values-digest)
        - --registry=$(params.registry)
        - --pull-registry=$(params.pull-registry)
        - --result=$(results.outcome.path)
        - $(params.images[*])
      env:
        - {name: HOME, value: /tmp}
        - {name: MODELOPS_LOG_LEVEL, value: {{ .Values.global.logLevel | quote }}}
      computeResources:
        requests: {cpu: 50m, memory: 128Mi}
        limits: {cpu: "1", memory: 512Mi}
      securityContext:
        {{- include "common.container.securityContext" . | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
{{- end -}}
