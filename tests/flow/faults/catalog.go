package main

import (
	"encoding/json"
	"os"

	"github.com/warpstreamlabs/bento/public/bloblang"
)

// A test lays this file beside the engine's own: `bento catalog` lists what a text could name at all in the engine's
// program, and which of it the environment of a flow leaves.
func init() {
	if len(os.Args) < 2 || os.Args[1] != "catalog" {
		return
	}
	catalog := map[string]map[string]json.RawMessage{}
	environments := map[string]*bloblang.Environment{"linked": bloblang.GlobalEnvironment(), "left": newLanguage()}
	for name, environment := range environments {
		functions, methods := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		environment.WalkFunctions(func(name string, view *bloblang.FunctionView) {
			functions[name], _ = view.FormatJSON()
		})
		environment.WalkMethods(func(name string, view *bloblang.MethodView) {
			methods[name], _ = view.FormatJSON()
		})
		catalog[name+"Functions"], catalog[name+"Methods"] = functions, methods
	}
	_ = json.NewEncoder(os.Stdout).Encode(catalog)
	os.Exit(0)
}
