package main

import (
	"errors"

	"github.com/warpstreamlabs/bento/public/bloblang"
	_ "github.com/warpstreamlabs/bento/public/components/otlp"
	_ "github.com/warpstreamlabs/bento/public/components/prometheus"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	_ "github.com/warpstreamlabs/bento/public/components/pure/extended"
	"github.com/warpstreamlabs/bento/public/service"
)

// newEnvironment holds the components that a flow may name, each bound to one stream's state.
// Mappings of it have pure functions only and cannot import.
func newEnvironment(flow *flowState) (*service.Environment, error) {
	environment := service.NewEnvironment()
	environment.UseBloblangEnvironment(newLanguage())
	err1 := environment.RegisterBatchInput("modelops_file", fileSourceSpec(), flow.newFileSource)
	err2 := environment.RegisterBatchInput("modelops_test", generatorSpec(), flow.newGenerator)
	err3 := environment.RegisterBatchOutput("modelops_file", fileSinkSpec(), flow.newSink)
	err4 := environment.RegisterBatchOutput("modelops_test", testSinkSpec(), flow.newSink)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	processors := []struct {
		name string
		spec *service.ConfigSpec
		make service.BatchProcessorConstructor
	}{
		{"modelops_decode", decodeSpec(), flow.newDecode},
		{"modelops_map", mapSpec(), flow.newMap},
		{"modelops_filter", filterSpec(), flow.newFilter},
		{"modelops_score", scoreSpec(), flow.newScore},
		{"modelops_encode", encodeSpec(), flow.newEncode},
	}
	for _, processor := range processors {
		if err := environment.RegisterBatchProcessor(processor.name, processor.spec, processor.make); err != nil {
			return nil, err
		}
	}
	return environment, nil
}

// newLanguage is Bloblang without anything that reaches beyond the record. What Bento calls pure is not enough:
// json_schema follows `$ref` to files and URLs, and bloblang runs texts that a record brings, with json_schema in them.
func newLanguage() *bloblang.Environment {
	return bloblang.NewEnvironment().OnlyPure().WithDisabledImports().WithoutMethods("json_schema", "bloblang")
}

// noVariable answers every ${...} of a configuration: there are none.
func noVariable(string) (string, bool) { return "", false }
