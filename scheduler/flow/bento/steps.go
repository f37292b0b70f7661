package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/warpstreamlabs/bento/public/bloblang"
	"github.com/warpstreamlabs/bento/public/service"
)

// step is what all processors of a flow share: its name, its error policy, and its counters.
type step struct {
	flow     *flowState
	name     string
	onError  string
	dropped  *service.MetricCounter
	filtered *service.MetricCounter
}

// stepFields are `step` and `on_error`, in front of the processor's own.
func stepFields(fields ...*service.ConfigField) []*service.ConfigField {
	return append([]*service.ConfigField{
		service.NewStringField("step").Description("Path label: <flow>.<step>, or decode, or encode."),
		service.NewStringEnumField("on_error", "dead-letter", "drop", "fail").Default("dead-letter"),
	}, fields...)
}

func (flow *flowState) newStep(conf *service.ParsedConfig, resources *service.Resources) (step, error) {
	name, err1 := conf.FieldString("step")
	onError, err2 := conf.FieldString("on_error")
	metrics := resources.Metrics()
	return step{
		flow: flow, name: name, onError: onError,
		dropped:  metrics.NewCounter("modelops_dropped", "step"),
		filtered: metrics.NewCounter("modelops_filtered", "step"),
	}, errors.Join(err1, err2)
}

func (s *step) Close(context.Context) error { return nil }

// fault applies the error policy to a record; it is true when the record goes on its way (to the dead letters).
func (s *step) fault(record *origin, reason string) bool {
	record.failed, record.reason = s.name, reason
	switch s.onError {
	case "drop":
		s.flow.leave(record, &s.flow.dropped)
		s.dropped.Incr(1, s.name)
		return false
	case "fail":
		s.flow.fail(*record.fault(recordFailed))
	}
	return true
}

func (s *step) filter(record *origin) {
	s.flow.leave(record, &s.flow.filtered)
	s.filtered.Incr(1, s.name)
}

// each runs work on the records that no step before has failed on; work returns nil for a record that ends here.
func (s *step) each(
	batch service.MessageBatch, work func(i int, message *service.Message, record *origin) (*service.Message, error),
) ([]service.MessageBatch, error) {
	kept := make(service.MessageBatch, 0, len(batch))
	for i, message := range batch {
		record := originOf(message)
		if record == nil {
			return nil, errors.New("a message without its record reached step " + s.name)
		}
		if record.failed != "" {
			kept = append(kept, message)
			continue
		}
		result, err := work(i, message, record)
		if err != nil {
			if s.fault(record, err.Error()) {
				kept = append(kept, message)
			}
			continue
		}
		if result != nil {
			kept = append(kept, result)
		}
	}
	if len(kept) == 0 {
		return nil, nil
	}
	return []service.MessageBatch{kept}, nil
}

func mapSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Maps each record; a record whose root is deleted counts as filtered.").
		Fields(stepFields(service.NewBloblangField("mapping"))...)
}

type mapStep struct {
	step
	mapping *bloblang.Executor
}

func (flow *flowState) newMap(conf *service.ParsedConfig, resources *service.Resources) (service.BatchProcessor, error) {
	common, err1 := flow.newStep(conf, resources)
	mapping, err2 := conf.FieldBloblang("mapping")
	return &mapStep{step: common, mapping: mapping}, errors.Join(err1, err2)
}

func (s *mapStep) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	mapping := batch.BloblangExecutor(s.mapping)
	return s.each(batch, func(i int, _ *service.Message, record *origin) (*service.Message, error) {
		result, err := mapping.Query(i)
		if err == nil && result == nil {
			s.filter(record)
		}
		return result, err
	})
}

func filterSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Lets the records go on for which the condition is true; any other counts as filtered.").
		Fields(stepFields(service.NewBloblangField("condition"))...)
}

type filterStep struct {
	step
	condition *bloblang.Executor
}

func (flow *flowState) newFilter(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchProcessor, error) {
	common, err1 := flow.newStep(conf, resources)
	condition, err2 := conf.FieldBloblang("condition")
	return &filterStep{step: common, condition: condition}, errors.Join(err1, err2)
}

func (s *filterStep) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	condition := batch.BloblangExecutor(s.condition)
	return s.each(batch, func(i int, message *service.Message, record *origin) (*service.Message, error) {
		result, err := condition.Query(i)
		if err != nil {
			return nil, fmt.Errorf("condition: %w", err)
		}
		if result != nil {
			if value, err := result.AsStructured(); err == nil && value == true {
				return message, nil
			}
		}
		s.filter(record)
		return nil, nil
	})
}
