{{- /* Rules in the platform's namespace over the kinds that the face `applications` renders; takes {helm}: verbs that helm needs
       for what is asked of it, beside reading. A test compares the kinds with the charts. */ -}}
{{- define "modelops.applicationRules" -}}
{{- $verbs := concat (list "get" "list" "watch") .helm -}}
- apiGroups: [""]
  resources: [configmaps, persistentvolumeclaims, services]
  verbs: {{ toJson $verbs }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: {{ toJson $verbs }}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: {{ toJson $verbs }}
# helm keeps a release in a Secret; RBAC cannot say "those that it made"
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, patch, delete]
# what becomes of the objects: whether they are ready, why they are not, whether they are gone
- apiGroups: [""]
  resources: [pods, events]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get, list, watch]
{{- end -}}
