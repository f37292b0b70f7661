module modelops.dev/toolchain/tekton

go 1.25.0

tool github.com/tektoncd/pipeline/cmd/controller
tool github.com/tektoncd/pipeline/cmd/webhook
tool github.com/tektoncd/pipeline/cmd/entrypoint
tool github.com/tektoncd/pipeline/cmd/nop
tool github.com/tektoncd/pipeline/cmd/workingdirinit
tool github.com/tektoncd/pipeline/cmd/events
tool github.com/tektoncd/pipeline/cmd/sidecarlogresults

require github.com/tektoncd/pipeline v1.15.0
