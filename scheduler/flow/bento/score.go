package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/warpstreamlabs/bento/public/service"
)

func scoreSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Scores the records of a batch through an Open Inference Protocol V2 service, and adds one field to each.").
		Description("A service that does not answer, or answers 408, 425, 429, 5xx or anything else that is not about the " +
			"records, is asked again for as long as the stream runs. A 400, 413 or 422 is about the records: those that the " +
			"answer names in `rows`, or else those that are found by halving the request, are faults of this step; the " +
			"others are scored.").
		Fields(stepFields(
			service.NewStringField("model"),
			service.NewStringField("url").Description("Base URL of the service."),
			service.NewIntField("rows").Description("Records a request.").Default(256),
			service.NewDurationField("timeout").Description("Of one request.").Default("60s"),
			service.NewAnyListField("inputs").Description("Tensors: {field, tensor, datatype, type, nullable}."),
			service.NewObjectField("output",
				service.NewStringField("field").Description("The field that is added."),
				service.NewStringField("tensor"),
				service.NewStringField("type").Description("Its OpenAPI type."),
				service.NewBoolField("nullable").Default(false),
			),
		)...)
}

type scoreStep struct {
	step
	rows    int
	tensors *tensors
	client  *inference
}

func (flow *flowState) newScore(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchProcessor, error) {
	common, err1 := flow.newStep(conf, resources)
	model, err2 := conf.FieldString("model")
	url, err3 := conf.FieldString("url")
	rows, err4 := conf.FieldInt("rows")
	timeout, err5 := conf.FieldDuration("timeout")
	tensors, err6 := parseTensors(conf)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	if rows < 1 {
		return nil, errors.New("rows must be at least 1")
	}
	return &scoreStep{
		step: common, rows: rows, tensors: tensors, client: newInference(flow, url, model, timeout),
	}, nil
}

// row is one record on its way through the service.
type row struct {
	record *origin
	object map[string]any
	inputs []any
	result any
	fault  error
}

func (s *scoreStep) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	rows := make([]row, len(batch))
	asked := make([]*row, 0, len(batch))
	for i, message := range batch {
		record := originOf(message)
		if record == nil || record.failed != "" {
			continue
		}
		rows[i].record = record
		if rows[i].fault = s.take(&rows[i], message); rows[i].fault == nil {
			asked = append(asked, &rows[i])
		}
	}
	for len(asked) > 0 {
		count := min(s.rows, len(asked))
		if err := s.score(ctx, asked[:count]); err != nil {
			return nil, err
		}
		asked = asked[count:]
	}
	return s.each(batch, func(i int, message *service.Message, _ *origin) (*service.Message, error) {
		if rows[i].fault != nil {
			return nil, rows[i].fault
		}
		rows[i].object[s.tensors.output.field] = rows[i].result
		message.SetStructuredMut(rows[i].object)
		return message, nil
	})
}

// take reads a record's inputs in the form that its tensors need.
func (s *scoreStep) take(r *row, message *service.Message) error {
	value, err := message.AsStructuredMut()
	if err != nil {
		return err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return errors.New("it is not a record")
	}
	r.object = object
	r.inputs = make([]any, len(s.tensors.inputs))
	for i := range s.tensors.inputs {
		input := &s.tensors.inputs[i]
		if r.inputs[i], err = input.accept(object[input.Field]); err != nil {
			return fmt.Errorf("input %s: %w", input.Field, err)
		}
	}
	return nil
}

// score sets the result or the fault of every row; an error is the end of the stream, never a fault of a record.
func (s *scoreStep) score(ctx context.Context, rows []*row) error {
	for len(rows) > 0 {
		reply, err := s.client.ask(ctx, s.tensors.request(rows))
		if err != nil {
			return err
		}
		if reply.refusal == nil {
			if err := s.tensors.assign(reply.body, rows); err != nil {
				s.flow.fail(fault{Reason: serviceCrashed, Step: s.name, Message: s.client.describe(err.Error())})
				return err
			}
			return nil
		}
		rest, named := reply.refusal.divide(rows)
		if !named {
			return s.isolate(ctx, rows, reply.refusal)
		}
		rows = rest
	}
	return nil
}

// isolate halves a refused request until the refusal is about one record.
func (s *scoreStep) isolate(ctx context.Context, rows []*row, refused *refusal) error {
	if len(rows) == 1 {
		rows[0].fault = errors.New(refused.Error)
		return nil
	}
	half := len(rows) / 2
	if err := s.score(ctx, rows[:half]); err != nil {
		return err
	}
	return s.score(ctx, rows[half:])
}

// refusal is the body of a 400, 413 or 422.
type refusal struct {
	Error string `json:"error"`
	Rows  []struct {
		Index   int    `json:"index"`
		Message string `json:"message"`
	} `json:"rows"`
}

// divide marks the rows that the answer names and returns the others; false when it names none that were sent.
func (r *refusal) divide(rows []*row) ([]*row, bool) {
	for _, bad := range r.Rows {
		if bad.Index < 0 || bad.Index >= len(rows) {
			return nil, false
		}
	}
	for _, bad := range r.Rows {
		message := bad.Message
		if message == "" {
			message = r.Error
		}
		rows[bad.Index].fault = errors.New(message)
	}
	rest := make([]*row, 0, len(rows))
	for _, row := range rows {
		if row.fault == nil {
			rest = append(rest, row)
		}
	}
	return rest, len(r.Rows) > 0
}
