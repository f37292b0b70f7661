{{- /* What `global.size` means. Two small platforms and a job fit into the requests of two cores; a test adds them up. */ -}}

{{- define "common.size.presets" -}}
small:
  scheduling-server: {requests: {cpu: 25m, memory: 160Mi}, limits: {cpu: "1", memory: 512Mi}}
  modelops-server: {requests: {cpu: 25m, memory: 96Mi}, limits: {cpu: "1", memory: 384Mi}}
  build: {requests: {cpu: 250m, memory: 512Mi}, limits: {cpu: "2", memory: 3Gi}}
  jobs: {pods: "20", requests.cpu: "2", requests.memory: 4Gi, limits.cpu: "16", limits.memory: 16Gi}
  tasks: {pods: "20", requests.cpu: "1", requests.memory: 2Gi, limits.cpu: "20", limits.memory: 16Gi}
  objects: {count/jobs.batch: "200", services: "200"}
  builds: {pods: "10", requests.cpu: "2", requests.memory: 4Gi, limits.cpu: "16", limits.memory: 16Gi}
medium:
  scheduling-server: {requests: {cpu: 50m, memory: 192Mi}, limits: {cpu: "2", memory: 512Mi}}
  modelops-server: {requests: {cpu: 50m, memory: 128Mi}, limits: {cpu: "1", memory: 384Mi}}
  build: {requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: "2", memory: 4Gi}}
  jobs: {pods: "50", requests.cpu: "8", requests.memory: 16Gi, limits.cpu: "64", limits.memory: 64Gi}
  tasks: {pods: "50", requests.cpu: "4", requests.memory: 8Gi, limits.cpu: "64", limits.memory: 64Gi}
  objects: {count/jobs.batch: "1000", services: "1000"}
  builds: {pods: "20", requests.cpu: "8", requests.memory: 16Gi, limits.cpu: "32", limits.memory: 64Gi}
large:
  scheduling-server: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: "4", memory: 2Gi}}
  modelops-server: {requests: {cpu: 250m, memory: 256Mi}, limits: {cpu: "2", memory: 1Gi}}
  build: {requests: {cpu: "1", memory: 2Gi}, limits: {cpu: "4", memory: 8Gi}}
  jobs: {pods: "500", requests.cpu: "64", requests.memory: 256Gi, limits.cpu: "512", limits.memory: 1Ti}
  tasks: {pods: "500", requests.cpu: "16", requests.memory: 64Gi, limits.cpu: "512", limits.memory: 512Gi}
  objects: {count/jobs.batch: "10000", services: "10000"}
  builds: {pods: "50", requests.cpu: "32", requests.memory: 64Gi, limits.cpu: "128", limits.memory: 256Gi}
{{- end -}}

{{- define "common.size.resources" -}}{{- /* takes {root, program, resources}: what is given lies over the preset */ -}}
{{- mergeOverwrite (include "common.size.of" (dict "root" .root "what" .program) | fromYaml) .resources | toYaml -}}
{{- end -}}

{{- define "common.size.of" -}}{{- /* takes {root, what} */ -}}
{{- $size := dig "size" "medium" .root.Values.global -}}
{{- index (include "common.size.presets" . | fromYaml) $size .what | toYaml -}}
{{- end -}}

{{- define "common.size.quantity" -}}{{- /* a quantity of Kubernetes as a number, for comparing; a large number comes as 8e+09 */ -}}
{{- $decimal := dict "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $units := dict "Ki" 0x1p10 "Mi" 0x1p20 "Gi" 0x1p30 "Ti" 0x1p40 "Pi" 0x1p50 "Ei" 0x1p60 | merge $decimal -}}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?(e[+][0-9]+)?" (toString .) -}}
{{- mulf (float64 $number) (index $units (trimPrefix $number (toString .))) -}}
{{- end -}}
