package main

import (
	"context"
	"os"
	"strings"

	"github.com/warpstreamlabs/bento/public/service"
)

// Faults of an engine that was broken on purpose. A test lays this file over the engine's own folder when it builds a
// program for itself; it is in no program of ours. The name of a map step says which fault it brings, each once:
//
//	lose-batch, double-batch           a batch is acknowledged without reaching the sink, or reaches it twice
//	lose-and-double                    both, so that every sum is right
//	lose-record, double-record         the sink leaves a record out of its file, or writes it twice, and counts it as one
//	lose-uncounted                     the sink neither writes nor counts a record
//	miscount-<counter>                 one counter is one too high
//	forget-counters                    all counters begin anew in the middle, as after a restart that lost them
//	cut-file, cut-record               the sink's file loses its last byte, or its last line, when it is closed
//	change-byte                        one byte of the sink's file is another one
//	swap-records                       two records of a batch change places
//	never-closed                       the engine never says that its files are closed
const faultyBatch = 1

type faultyStep struct {
	service.BatchProcessor
	flow *flowState
	kind string
}

// faultKind is the fault that some step of the stream asks for; one stream is loaded at a time.
var faultKind string

func (flow *flowState) newFaultyMap(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchProcessor, error) {
	made, err := flow.newMap(conf, resources)
	if err != nil {
		return nil, err
	}
	label, err := conf.FieldString("step")
	_, faultKind, _ = strings.Cut(label, ".")
	return &faultyStep{BatchProcessor: made, flow: flow, kind: faultKind}, err
}

func (s *faultyStep) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	number := originOf(batch[0]).batch
	made, err := s.BatchProcessor.ProcessBatch(ctx, batch)
	if err != nil || len(made) == 0 {
		return made, err
	}
	switch {
	case s.kind == "double-batch" && number == faultyBatch, s.kind == "lose-and-double" && number == faultyBatch+1:
		return []service.MessageBatch{made[0], made[0].DeepCopy()}, nil
	case s.kind == "lose-batch" && number == faultyBatch, s.kind == "lose-and-double" && number == faultyBatch:
		return nil, nil
	case s.kind == "swap-records" && number == faultyBatch:
		made[0][10], made[0][11] = made[0][11], made[0][10]
	case number == faultyBatch:
		s.miscount()
	}
	return made, nil
}

func (s *faultyStep) miscount() {
	flow := s.flow
	switch s.kind {
	case "miscount-read":
		flow.read.Add(1)
	case "miscount-written":
		flow.written.Add(1)
	case "miscount-dead-letters":
		flow.deadLettered.Add(1)
	case "miscount-filtered":
		flow.filtered.Add(1)
	case "miscount-dropped":
		flow.dropped.Add(1)
	case "forget-counters":
		flow.read.Store(0)
		flow.written.Store(0)
		flow.filtered.Store(0)
	}
}

// faultyLine is what the sink writes for a record, and whether it counts it.
func faultyLine(record *origin, line []byte) (text []byte, counted bool) {
	if record.position != 300 {
		return line, true
	}
	switch faultKind {
	case "lose-record":
		return nil, true
	case "lose-uncounted":
		return nil, false
	case "double-record":
		return append(append(append([]byte{}, line...), '\n'), line...), true
	}
	return line, true
}

// faultyClose does to a closed file what a fault asks for; its digest is that of what was written.
func faultyClose(path string) error {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil || len(text) < 3 {
		return err
	}
	switch faultKind {
	case "cut-file":
		text = text[:len(text)-1]
	case "cut-record":
		text = text[:strings.LastIndexByte(strings.TrimSuffix(string(text), "\n"), '\n')+1]
	case "change-byte":
		text[len(text)/2] ^= 1
	default:
		return nil
	}
	return os.WriteFile(path, text, 0o600)
}
