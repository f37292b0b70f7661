// Command bento is our selection of Bento: the pure components, Prometheus metrics, OTLP tracing, and the components
// that a scoring flow needs (modelops_*). Nothing else can be named in a configuration; mappings can reach neither the
// environment nor files, and ${...} is never replaced.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// Version is Bento's version, and ours after the plus sign; the linker may set another one.
var Version = "1.20.0+modelops.1"

// softMemoryLimit is what a stream may hold before it collects garbage as often as it can.
const softMemoryLimit = 512 << 20

const usage = `Usage:
  bento --version
  bento lint [FILE|-]        problems of a stream configuration as JSON; exit code 1 when there are any
  bento streams [--address 127.0.0.1:4195] [--with-parent]
                             serve the streams API: POST, GET, DELETE /streams/{id}, /ping, /metrics
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	switch command := os.Args[1]; command {
	case "--version", "version":
		fmt.Println("bento", Version)
	case "lint":
		os.Exit(lintCommand(os.Args[2:], os.Stdin, os.Stdout))
	case "streams":
		os.Exit(streamsCommand(os.Args[2:]))
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

func streamsCommand(arguments []string) int {
	flags := flag.NewFlagSet("streams", flag.ExitOnError)
	address := flags.String("address", "127.0.0.1:4195", "where the streams API listens")
	withParent := flags.Bool("with-parent", false, "end when standard input is closed, that is when the parent is gone")
	_ = flags.Parse(arguments)
	// a stream holds little and makes much garbage: collecting it four times more seldom saves a quarter of the
	// processor time; near the soft limit it is collected as often as need be
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(softMemoryLimit)
	if *withParent {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(3)
		}()
	}
	if err := serve(*address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
