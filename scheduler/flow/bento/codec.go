package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/warpstreamlabs/bento/public/service"
)

func decodeSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Reads a record's text by its schema: the first step of every flow.").
		Fields(stepFields(service.NewStringEnumField("format", "csv", "json-lines"), fieldsField("fields"))...)
}

type decodeStep struct {
	step
	format string
	fields []field
	// columns holds the field of each CSV column, nil for a column that the schema does not know
	columns func() []*field
}

func (flow *flowState) newDecode(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchProcessor, error) {
	common, err1 := flow.newStep(conf, resources)
	format, err2 := conf.FieldString("format")
	fields, err3 := parseFields(conf, "fields")
	s := &decodeStep{step: common, format: format, fields: fields}
	s.columns = sync.OnceValue(s.matchColumns)
	return s, errors.Join(err1, err2, err3)
}

func (s *decodeStep) matchColumns() []*field {
	columns := make([]*field, len(s.flow.header))
	for i, column := range s.flow.header {
		for j := range s.fields {
			if s.fields[j].Name == column {
				columns[i] = &s.fields[j]
			}
		}
	}
	return columns
}

func (s *decodeStep) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	decode := s.decodeJSON
	if s.format == "csv" {
		decode = s.decodeCSV
	}
	return s.each(batch, func(_ int, message *service.Message, record *origin) (*service.Message, error) {
		value, err := decode(record.raw)
		if err != nil {
			return nil, err
		}
		message.SetStructuredMut(value)
		return message, nil
	})
}

func (s *decodeStep) decodeCSV(raw []byte) (map[string]any, error) {
	cells, err := splitCSV(raw)
	if err != nil {
		return nil, err
	}
	columns := s.columns()
	if len(cells) != len(columns) {
		return nil, fmt.Errorf("the row has %d fields, the header has %d", len(cells), len(columns))
	}
	record := make(map[string]any, len(s.fields))
	var faults []string
	for i, f := range columns {
		if f == nil {
			continue
		}
		value, err := f.parseCell(cells[i])
		if err != nil {
			faults = append(faults, f.Name+": "+err.Error())
			continue
		}
		record[f.Name] = value
	}
	return record, joined(faults)
}

func (s *decodeStep) decodeJSON(raw []byte) (map[string]any, error) {
	value, err := parseJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return acceptRecord(s.fields, object)
}

func encodeSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Writes a record as one line of text by its schema: the last step of every flow.").
		Fields(stepFields(service.NewStringEnumField("format", "csv", "json-lines"), fieldsField("fields"))...)
}

type encodeStep struct {
	step
	format string
	fields []field
	names  [][]byte
}

func (flow *flowState) newEncode(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchProcessor, error) {
	common, err1 := flow.newStep(conf, resources)
	format, err2 := conf.FieldString("format")
	fields, err3 := parseFields(conf, "fields")
	s := &encodeStep{step: common, format: format, fields: fields}
	for _, f := range fields {
		s.names = append(s.names, append(appendJSON(nil, f.Name), ':'))
	}
	return s, errors.Join(err1, err2, err3)
}

func (s *encodeStep) ProcessBatch(_ context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	return s.each(batch, func(_ int, message *service.Message, _ *origin) (*service.Message, error) {
		value, err := message.AsStructured()
		if err != nil {
			return nil, fmt.Errorf("the steps left no record: %w", err)
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil, errors.New("the steps left a value that is no record")
		}
		line, err := s.line(object)
		if err != nil {
			return nil, err
		}
		message.SetBytes(line)
		return message, nil
	})
}

// line writes the fields in the schema's order; every fault is named.
func (s *encodeStep) line(object map[string]any) ([]byte, error) {
	line := make([]byte, 0, 24*len(s.fields))
	var faults []string
	for i := range s.fields {
		f := &s.fields[i]
		value, present := object[f.Name]
		if present {
			accepted, err := f.accept(value)
			if err != nil {
				faults = append(faults, f.Name+": "+err.Error())
			}
			value = accepted
		} else if f.Required {
			faults = append(faults, f.Name+" is missing")
		}
		switch {
		case s.format == "csv":
			line = appendCSV(line, value, i)
		case present:
			line = appendMember(line, s.names[i], value)
		}
	}
	if s.format == "csv" {
		if len(line) == 0 {
			// the one cell of the row is empty: a blank line would be no row at all
			line = append(line, `""`...)
		}
		return line, joined(faults)
	}
	if len(line) == 0 {
		line = append(line, '{')
	}
	return append(line, '}'), joined(faults)
}

// appendMember writes one member of a JSON object, the brace before the first one.
func appendMember(line, name []byte, value any) []byte {
	if len(line) == 0 {
		line = append(line, '{')
	} else {
		line = append(line, ',')
	}
	return appendJSON(append(line, name...), value)
}

// appendCSV writes one cell, with a comma before it unless it is the first.
func appendCSV(line []byte, value any, column int) []byte {
	if column > 0 {
		line = append(line, ',')
	}
	switch value := value.(type) {
	case nil:
		return line
	case string:
		return appendCell(line, value)
	case map[string]any, []any:
		return appendCell(line, string(appendJSON(nil, value)))
	}
	return appendJSON(line, value)
}

// appendCell quotes what would not come back as it is.
func appendCell(line []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return append(line, text...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(text, `"`, `""`)...)
	return append(line, '"')
}

func csvHeader(names []string) []byte {
	var line []byte
	for i, name := range names {
		if i > 0 {
			line = append(line, ',')
		}
		line = appendCell(line, name)
	}
	return line
}

// appendJSON writes a value; a double has the shortest digits that read back as the same double.
func appendJSON(text []byte, value any) []byte {
	switch value := value.(type) {
	case nil:
		return append(text, "null"...)
	case bool:
		if value {
			return append(text, "true"...)
		}
		return append(text, "false"...)
	case int64:
		return appendInt(text, value)
	case float64:
		return appendFloat(text, value)
	case string:
		if isPlain(value) {
			return append(append(append(text, '"'), value...), '"')
		}
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		// only values that `accept` let through come here, and each of them can be written
		return append(text, "null"...)
	}
	return append(text, bytes.TrimSuffix(buffer.Bytes(), []byte{'\n'})...)
}

func compactJSON(to *bytes.Buffer, text []byte) bool { return json.Compact(to, text) == nil }
