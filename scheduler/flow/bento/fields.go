package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/warpstreamlabs/bento/public/service"
)

// field is one field of a record schema; Type is an OpenAPI data type, type and format in one.
type field struct {
	Name       string  `json:"name"`
	Type       string  `json:"type"`
	Nullable   bool    `json:"nullable"`
	Required   bool    `json:"required"`
	Items      *field  `json:"items"`
	Properties []field `json:"properties"`
}

var fieldTypes = map[string]bool{
	"boolean": true, "int32": true, "int64": true, "float": true, "double": true, "string": true, "bytes": true,
	"date": true, "date-time": true, "array": true, "object": true,
}

func fieldsField(name string) *service.ConfigField {
	return service.NewAnyListField(name).Description(
		"The record schema: {name, type, nullable, required, items, properties}; type is an OpenAPI type or format.")
}

func parseFields(conf *service.ParsedConfig, name string) ([]field, error) {
	list, err := conf.FieldAnyList(name)
	if err != nil {
		return nil, err
	}
	fields := make([]field, len(list))
	for i, item := range list {
		value, err := item.FieldAny()
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &fields[i]); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
		if err := fields[i].check(); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", name, i, err)
		}
	}
	return fields, nil
}

func (f *field) check() error {
	if !fieldTypes[f.Type] {
		return fmt.Errorf("'%s' is not a type", f.Type)
	}
	if f.Items != nil {
		if err := f.Items.check(); err != nil {
			return err
		}
	}
	for i := range f.Properties {
		if f.Properties[i].Name == "" {
			return errors.New("a property has no name")
		}
		if err := f.Properties[i].check(); err != nil {
			return err
		}
	}
	return nil
}
