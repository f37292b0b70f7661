package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// parseCell reads a CSV cell as this type. An empty cell is null where that is allowed, else only a string may be so.
func (f *field) parseCell(cell string) (any, error) {
	if cell == "" {
		if f.Nullable {
			return nil, nil
		}
		if f.Type != "string" && f.Type != "bytes" {
			return nil, fmt.Errorf("is empty, but %s and not nullable", article(f.Type))
		}
	}
	switch f.Type {
	case "boolean":
		switch strings.ToLower(cell) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, notA(cell, "boolean (true, false)")
	case "int32", "int64", "float", "double":
		return f.parseNumber(cell)
	case "array", "object":
		value, err := parseJSON([]byte(cell))
		if err != nil {
			return nil, notA(cell, f.Type+" in JSON")
		}
		return f.accept(value)
	default:
		return f.acceptText(cell)
	}
}

// accept checks a value that a JSON document or a mapping gave, and returns it in the form that the type has here:
// int64, float64, bool, string, []any, map[string]any, or nil.
func (f *field) accept(value any) (any, error) {
	if value == nil {
		if f.Nullable {
			return nil, nil
		}
		return nil, fmt.Errorf("is null, but %s and not nullable", article(f.Type))
	}
	switch f.Type {
	case "boolean":
		if flag, ok := value.(bool); ok {
			return flag, nil
		}
	case "int32", "int64", "float", "double":
		return f.acceptNumber(value)
	case "array":
		if list, ok := value.([]any); ok {
			return f.acceptList(list)
		}
	case "object":
		if object, ok := value.(map[string]any); ok {
			return f.acceptObject(object)
		}
	default:
		switch text := value.(type) {
		case string:
			return f.acceptText(text)
		case []byte:
			return f.acceptText(string(text))
		case time.Time:
			return f.acceptText(text.Format(time.RFC3339Nano))
		}
	}
	return nil, notA(value, f.Type)
}

func (f *field) acceptNumber(value any) (any, error) {
	switch number := value.(type) {
	case json.Number:
		return f.parseNumber(string(number))
	case int64:
		return f.acceptInteger(number)
	case int:
		return f.acceptInteger(int64(number))
	case uint64:
		if number <= math.MaxInt64 {
			return f.acceptInteger(int64(number))
		}
	case float64:
		return f.acceptFloat(number)
	}
	return nil, notA(value, f.Type)
}

func (f *field) acceptInteger(number int64) (any, error) {
	if f.Type == "float" || f.Type == "double" {
		return f.acceptFloat(float64(number))
	}
	if f.Type == "int32" && int64(int32(number)) != number {
		return nil, fmt.Errorf("%d is too large for an int32", number)
	}
	return number, nil
}

func (f *field) acceptFloat(number float64) (any, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, notA(number, "finite number")
	}
	if f.Type == "float" && math.Abs(number) > math.MaxFloat32 {
		return nil, fmt.Errorf("%v is too large for a float", number)
	}
	if f.Type == "float" || f.Type == "double" {
		return number, nil
	}
	// -2^63 and 2^63 are exact as doubles; the upper one is no int64
	if number != math.Trunc(number) || number < -(1<<63) || number >= 1<<63 {
		return nil, notA(number, f.Type)
	}
	return f.acceptInteger(int64(number))
}

// parseNumber reads a decimal number without losing a digit: integers never pass through a double.
func (f *field) parseNumber(text string) (any, error) {
	if f.Type == "float" || f.Type == "double" {
		number, err := strconv.ParseFloat(text, 64)
		if errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("%s is too large for a double", text)
		}
		if err != nil || !isDecimal(text) {
			return nil, notA(text, f.Type)
		}
		return f.acceptFloat(number)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if number, err := strconv.ParseInt(whole, 10, 64); err == nil && strings.Trim(fraction, "0") == "" {
		return f.acceptInteger(number)
	}
	// 1e3 and 1.5e1 are integers too
	if number, err := strconv.ParseFloat(text, 64); err == nil && isDecimal(text) && math.Abs(number) <= 1<<53 {
		return f.acceptFloat(number)
	}
	return nil, notA(text, f.Type)
}

// isDecimal refuses what ParseFloat takes beyond decimal numbers: hexadecimal, underscores, Inf, NaN.
func isDecimal(text string) bool { return strings.Trim(text, "+-.0123456789eE") == "" }

func (f *field) acceptText(text string) (any, error) {
	var err error
	switch {
	case !utf8.ValidString(text):
		return nil, notA(text, "UTF-8 text")
	case f.Type == "bytes":
		_, err = base64.StdEncoding.DecodeString(text)
	case f.Type == "date":
		_, err = time.Parse(time.DateOnly, text)
	case f.Type == "date-time":
		_, err = time.Parse(time.RFC3339Nano, text)
	}
	if err != nil {
		return nil, notA(text, map[string]string{
			"bytes": "base64 text", "date": "date (YYYY-MM-DD)", "date-time": "date-time (RFC 3339)",
		}[f.Type])
	}
	return text, nil
}

func (f *field) acceptList(list []any) (any, error) {
	if f.Items == nil {
		return list, nil
	}
	accepted := make([]any, len(list))
	for i, item := range list {
		value, err := f.Items.accept(item)
		if err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
		accepted[i] = value
	}
	return accepted, nil
}

func (f *field) acceptObject(object map[string]any) (any, error) {
	if len(f.Properties) == 0 {
		return object, nil
	}
	return acceptRecord(f.Properties, object)
}

// acceptRecord takes a record's fields by schema; others are left out. Every fault is named.
func acceptRecord(fields []field, object map[string]any) (map[string]any, error) {
	record := make(map[string]any, len(fields))
	var faults []string
	for i := range fields {
		f := &fields[i]
		value, present := object[f.Name]
		if !present {
			if f.Required {
				faults = append(faults, f.Name+" is missing")
			}
			continue
		}
		accepted, err := f.accept(value)
		if err != nil {
			faults = append(faults, f.Name+": "+err.Error())
			continue
		}
		record[f.Name] = accepted
	}
	return record, joined(faults)
}

// parseJSON reads exactly one JSON value; numbers keep their digits.
func parseJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	return value, nil
}

func joined(faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	return errors.New(strings.Join(faults, "; "))
}

func notA(value any, what string) error {
	shown := []rune(fmt.Sprint(value))
	if len(shown) > 60 {
		shown = append(shown[:60], '…')
	}
	return fmt.Errorf("%q is not %s", string(shown), article(what))
}

func article(what string) string {
	if strings.ContainsRune("aeiou", rune(what[0])) {
		return "an " + what
	}
	if strings.HasPrefix(what, "UTF") || strings.HasPrefix(what, "base64") {
		return what
	}
	return "a " + what
}
