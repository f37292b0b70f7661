{{- /* Whose the namespaces of environments, of builds and of the platform are. Only a release that makes prerequisites looks at them, so
       that whoever may see nothing of the cluster can install the rest; what `helm template` cannot look up is not complained of. */ -}}
{{- define "modelops.complaints.namespaces" -}}
{{ include "modelops.complaints.clustersOwn" . }}
{{- if include "common.makesPrerequisites" . }}
{{ include "modelops.complaints.claims" . }}
{{ include "modelops.complaints.prepare" . }}
{{ include "modelops.complaints.takeOver" . }}
{{ include "modelops.complaints.leaving" . }}
{{ include "modelops.complaints.clusterNames" . }}
{{- end }}
{{- end -}}

{{- define "modelops.complaints.clustersOwn" -}}{{- /* scheduler/environments/orders.py: CLUSTERS_OWN */ -}}
{{- $builds := include "common.buildNamespace" . }}
{{- range list "default" "kube-node-lease" "kube-public" "kube-system" "tekton-pipelines" }}
{{- if has . $.Values.global.environments }}
global.environments: {{ . }} is the cluster's own namespace; jobs run in namespaces of their own
{{- end }}
{{- if eq . $builds }}
global.build.namespace: {{ . }} is the cluster's own namespace; builds run in a namespace of their own
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.complaints.claims" -}}{{- /* namespaces that belong to another platform */ -}}
{{- $own := include "common.platform" . }}
{{- $places := list }}
{{- range .Values.global.environments }}{{ $places = append $places (list "global.environments" .) }}{{ end }}
{{- $places = concat $places (list (list "global.build.namespace" (include "common.buildNamespace" .)) (list "release namespace" .Release.Namespace)) }}
{{- range $place := $places }}
{{- $name := index $place 1 }}
{{- with include "modelops.otherPlatform" (dict "root" $ "namespace" $name) }}
{{ index $place 0 }}: {{ $name }} belongs to the platform {{ . }}; a namespace belongs to one platform (this one is {{ $own }}); where {{ . }} is gone for good: kubectl label namespace {{ $name }} modelops.dev/platform-
{{- end }}
{{- end }}
{{- end -}}

{{- /* The other platform that a namespace belongs to, by its label or by that of the account of jobs in it: what 0.1.0 let be without labels
       is in use all the same. Takes {root, namespace}. */ -}}
{{- define "modelops.otherPlatform" -}}
{{- $account := lookup "v1" "ServiceAccount" .namespace (include "common.runnerAccount" .root) }}
{{- $owners := list (include "modelops.ownerOf" .namespace) (dig "metadata" "labels" "modelops.dev/platform" "" $account) }}
{{- first (append (without $owners "" (include "common.platform" .root)) "") -}}
{{- end -}}

{{- define "modelops.ownerOf" -}}{{- /* the platform that a namespace belongs to by its label; takes its name */ -}}
{{- dig "metadata" "labels" "modelops.dev/platform" "" (lookup "v1" "Namespace" "" .) -}}
{{- end -}}

{{- /* What somebody else makes must be there and labelled: without labels another platform would find it free. Every cluster has
       kube-system: without it there is none to look at. */ -}}
{{- define "modelops.complaints.prepare" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- range ternary (list) .Values.global.environments .Values.environment.create }}
{{- $found := lookup "v1" "Namespace" "" . }}
{{- $label := include "modelops.labelEnvironment" (dict "root" $ "environment" .) }}
{{- if not $found }}
global.environments: there is no namespace {{ . }}, and environment.create is false; make it first: kubectl create namespace {{ . }} && {{ $label }}
{{- else if and (not (include "modelops.otherPlatform" (dict "root" $ "namespace" .))) (or (not (include "modelops.ownerOf" .)) (ne . (dig "metadata" "labels" "modelops.dev/environment" "" $found))) }}
global.environments: {{ . }} lacks the labels of an environment, and environment.create is false; label it first: {{ $label }}
{{- end }}
{{- end }}
{{- if not .Values.global.build.createNamespace }}
{{- $builds := include "common.buildNamespace" . }}
{{- $label := include "modelops.labelBuilds" . }}
{{- if not (lookup "v1" "Namespace" "" $builds) }}
global.build.namespace: there is no namespace {{ $builds }}, and global.build.createNamespace is false; make it first: kubectl create namespace {{ $builds }} && {{ $label }}
{{- else if not (include "modelops.ownerOf" $builds) }}
global.build.namespace: {{ $builds }} lacks the labels of a build namespace, and global.build.createNamespace is false; label it first: {{ $label }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "modelops.labelEnvironment" -}}{{- /* takes {root, environment} */ -}}
kubectl label --overwrite namespace {{ .environment }} modelops.dev/environment={{ .environment }} modelops.dev/platform={{ include "common.platform" .root }} pod-security.kubernetes.io/enforce=restricted
{{- end -}}

{{- define "modelops.labelBuilds" -}}
kubectl label --overwrite namespace {{ include "common.buildNamespace" . }} modelops.dev/platform={{ include "common.platform" . }} pod-security.kubernetes.io/enforce=baseline
{{- end -}}

{{- define "modelops.complaints.takeOver" -}}{{- /* namespaces that this release would make, and that are there without being its own */ -}}
{{- range ternary .Values.global.environments (list) .Values.environment.create }}
{{- $place := dict "root" $ "namespace" . }}
{{- if and (not (include "modelops.otherPlatform" $place)) (include "modelops.isForeign" $place) }}
global.environments: {{ . }} is there and not this release's; to take it with what is in it: kubectl label --overwrite namespace {{ . }} app.kubernetes.io/managed-by=Helm && kubectl annotate --overwrite namespace {{ . }} meta.helm.sh/release-name={{ $.Release.Name }} meta.helm.sh/release-namespace={{ $.Release.Namespace }} (for a platform that is installed: modelops environment add {{ . }} --adopt){{ if not $.Values.environment.keep }}; set environment.keep: true first, or it is deleted with the environment{{ end }}
{{- end }}
{{- end }}
{{- $builds := include "common.buildNamespace" . }}
{{- $place := dict "root" . "namespace" $builds }}
{{- if and .Values.global.build.createNamespace (not (include "modelops.otherPlatform" $place)) (include "modelops.isForeign" $place) }}
global.build.namespace: {{ $builds }} is there and not this release's; set global.build.createNamespace: false, and label it: {{ include "modelops.labelBuilds" . }}
{{- end }}
{{- end -}}

{{- define "modelops.isForeign" -}}{{- /* whether a namespace is there that helm would not import; takes {root, namespace} */ -}}
{{- $release := .root.Release }}
{{- with lookup "v1" "Namespace" "" .namespace }}
{{- $annotations := dig "metadata" "annotations" (dict) . }}
{{- $of := list (dig "metadata" "labels" "app.kubernetes.io/managed-by" "" .) (dig "meta.helm.sh/release-name" "" $annotations) (dig "meta.helm.sh/release-namespace" "" $annotations) }}
{{- if ne (toJson $of) (toJson (list "Helm" $release.Name $release.Namespace)) }}yes{{ end }}
{{- end }}
{{- end -}}

{{- /* `a-b` with `c` and `a` with `b-c` have the same names in the cluster. */ -}}
{{- define "modelops.complaints.clusterNames" -}}
{{- $class := include "common.taskPriorityClass" . }}
{{- $of := dig "metadata" "annotations" "meta.helm.sh/release-namespace" "" (lookup "scheduling.k8s.io/v1" "PriorityClass" "" $class) }}
{{- if and $of (ne $of .Release.Namespace) }}
release name: a platform in namespace {{ $of }} has the same names in the cluster (PriorityClass {{ $class }}); choose another name
{{- end }}
{{- end -}}
