package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/warpstreamlabs/bento/public/service"
)

// tensors says how records become the tensors of a model, and its output a field again.
type tensors struct {
	inputs []tensor
	output struct {
		field, tensor string
		as            field
	}
}

// tensor is one input: one value a record, of shape [n].
type tensor struct {
	Field    string `json:"field"`
	Tensor   string `json:"tensor"`
	Datatype string `json:"datatype"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
	as       field
}

func parseTensors(conf *service.ParsedConfig) (*tensors, error) {
	list, err := conf.FieldAnyList("inputs")
	if err != nil {
		return nil, err
	}
	t := &tensors{inputs: make([]tensor, len(list))}
	for i, item := range list {
		value, err := item.FieldAny()
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		input := &t.inputs[i]
		if err := json.Unmarshal(text, input); err != nil {
			return nil, fmt.Errorf("inputs[%d]: %w", i, err)
		}
		input.as = field{Name: input.Field, Type: input.Type, Nullable: input.Nullable}
		if err := input.as.check(); err != nil {
			return nil, fmt.Errorf("inputs[%d]: %w", i, err)
		}
	}
	var err1, err2, err3, err4 error
	t.output.field, err1 = conf.FieldString("output", "field")
	t.output.tensor, err2 = conf.FieldString("output", "tensor")
	t.output.as.Type, err3 = conf.FieldString("output", "type")
	t.output.as.Nullable, err4 = conf.FieldBool("output", "nullable")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return t, t.output.as.check()
}

func (t *tensor) accept(value any) (any, error) { return t.as.accept(value) }

// request is the body of an inference request: per input a tensor, and one that marks nulls where nulls may be.
func (t *tensors) request(rows []*row) []byte {
	body := append(make([]byte, 0, 64+len(rows)*16*len(t.inputs)), `{"inputs":[`...)
	for i := range t.inputs {
		input := &t.inputs[i]
		if i > 0 {
			body = append(body, ',')
		}
		body = appendTensorHead(body, input.Tensor, input.Datatype, len(rows))
		for j, row := range rows {
			if j > 0 {
				body = append(body, ',')
			}
			body = input.appendValue(body, row.inputs[i])
		}
		body = append(body, "]}"...)
		if !input.Nullable {
			continue
		}
		body = appendTensorHead(append(body, ','), input.Tensor+".null", "BOOL", len(rows))
		for j, row := range rows {
			if j > 0 {
				body = append(body, ',')
			}
			body = appendJSON(body, row.inputs[i] == nil)
		}
		body = append(body, "]}"...)
	}
	body = append(body, `],"outputs":[{"name":`...)
	return append(appendJSON(body, t.output.tensor), "}]}"...)
}

func appendTensorHead(body []byte, name, datatype string, rows int) []byte {
	body = appendJSON(append(body, `{"name":`...), name)
	body = appendInt(append(body, `,"shape":[`...), int64(rows))
	body = appendJSON(append(body, `],"datatype":`...), datatype)
	return append(body, `,"data":[`...)
}

// appendValue writes one value; a null has a place holder, its companion tensor says that it is one.
func (t *tensor) appendValue(body []byte, value any) []byte {
	switch value := value.(type) {
	case nil:
		switch t.Datatype {
		case "BOOL":
			return append(body, "false"...)
		case "BYTES":
			return append(body, `""`...)
		}
		return append(body, '0')
	case map[string]any, []any:
		return appendJSON(body, string(appendJSON(nil, value)))
	default:
		return appendJSON(body, value)
	}
}

// outputTensor is one tensor of an answer.
type outputTensor struct {
	Name  string          `json:"name"`
	Shape []int           `json:"shape"`
	Data  json.RawMessage `json:"data"`
}

// assign gives each row its result. An answer that does not fit the request is an error: no row is guessed.
func (t *tensors) assign(body []byte, rows []*row) error {
	var answer struct {
		Outputs []outputTensor `json:"outputs"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer is not JSON: %w", err)
	}
	var output, nulls *outputTensor
	for i := range answer.Outputs {
		switch answer.Outputs[i].Name {
		case t.output.tensor:
			output = &answer.Outputs[i]
		case t.output.tensor + ".null":
			nulls = &answer.Outputs[i]
		}
	}
	if output == nil {
		return fmt.Errorf("the answer has no output '%s'", t.output.tensor)
	}
	values, err := output.values(len(rows))
	if err != nil {
		return err
	}
	if nulls != nil {
		if err := nulls.blank(values); err != nil {
			return err
		}
	}
	for i, row := range rows {
		if row.result, err = t.output.as.accept(values[i]); err != nil {
			row.fault = fmt.Errorf("output %s: %w", t.output.tensor, err)
		}
	}
	return nil
}

// values are the tensor's, one a row; a tensor of more than one value a row gives lists.
func (o *outputTensor) values(rows int) ([]any, error) {
	if len(o.Shape) == 0 || o.Shape[0] != rows {
		return nil, fmt.Errorf("output '%s' has shape %v for %d rows", o.Name, o.Shape, rows)
	}
	width := 1
	for _, size := range o.Shape[1:] {
		width *= size
	}
	flat, err := o.flat(rows * width)
	if err != nil {
		return nil, err
	}
	if len(flat) != rows*width || width == 0 {
		return nil, fmt.Errorf("output '%s' has %d values for shape %v", o.Name, len(flat), o.Shape)
	}
	if width == 1 {
		return flat, nil
	}
	lists := make([]any, rows)
	for i := range lists {
		lists[i] = flat[i*width : (i+1)*width]
	}
	return lists, nil
}

// flat reads the data, which may be nested by its shape or flat; numbers keep their digits.
func (o *outputTensor) flat(count int) ([]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(o.Data))
	decoder.UseNumber()
	flat := make([]any, 0, count)
	for {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		switch value := token.(type) {
		case json.Delim:
			if value != '[' && value != ']' {
				return nil, fmt.Errorf("output '%s' holds objects", o.Name)
			}
		default:
			flat = append(flat, value)
		}
	}
	return flat, nil
}

func (o *outputTensor) blank(values []any) error {
	marks, err := o.values(len(values))
	if err != nil {
		return err
	}
	for i, mark := range marks {
		isNull, ok := mark.(bool)
		if !ok {
			return fmt.Errorf("output '%s' is not BOOL", o.Name)
		}
		if isNull {
			values[i] = nil
		}
	}
	return nil
}
