module modelops.dev/toolchain/pause

go 1.25.0
