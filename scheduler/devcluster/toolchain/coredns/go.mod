module modelops.dev/toolchain/coredns

go 1.25.0

tool github.com/coredns/coredns

require github.com/coredns/coredns v1.13.1
