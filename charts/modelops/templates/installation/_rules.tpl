{{- /* Rules in the platform's namespace over the kinds that the face `applications` renders; takes {objects, secrets}: what helm does
       with objects and with its own records, beside reading. A test compares the kinds with the charts. */ -}}
{{- define "modelops.applicationRules" -}}
{{- $reads := list "get" "list" "watch" -}}
{{- $verbs := concat $reads .objects | toJson -}}
- apiGroups: [""]
  resources: [configmaps, persistentvolumeclaims, services]
  verbs: {{ $verbs }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: {{ $verbs }}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: {{ $verbs }}
# helm keeps a release in a Secret; RBAC cannot say "those that it made"
- apiGroups: [""]
  resources: [secrets]
  verbs: {{ concat $reads .secrets | toJson }}
# what becomes of the objects: whether they are ready, why they are not, whether they are gone
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list, watch]
{{- end -}}
