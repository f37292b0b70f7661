package main

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestCells(t *testing.T) {
	for _, test := range []struct {
		kind, cell string
		nullable   bool
		want       any
		fault      string
	}{
		{"int64", "9223372036854775807", false, int64(math.MaxInt64), ""},
		{"int64", "9223372036854775808", false, nil, "is not an int64"},
		{"int64", "9007199254740993", false, int64(9007199254740993), ""},
		{"int64", "-9223372036854775808", false, int64(math.MinInt64), ""},
		{"int64", "517.0", false, int64(517), ""},
		{"int64", "517.5", false, nil, "is not an int64"},
		{"int64", "1e3", false, int64(1000), ""},
		{"int64", "0x10", false, nil, "is not an int64"},
		{"int32", "2147483648", false, nil, "too large for an int32"},
		{"int32", "", true, nil, ""},
		{"int32", "", false, nil, "is empty, but an int32 and not nullable"},
		{"double", "0.1", false, 0.1, ""},
		{"double", "5e-324", false, 5e-324, ""},
		{"double", "NaN", false, nil, "is not a double"},
		{"double", "Inf", true, nil, "is not a double"},
		{"double", "1e999", false, nil, "too large for a double"},
		{"double", "1_0", false, nil, "is not a double"},
		{"float", "1e39", false, nil, "too large for a float"},
		{"boolean", "TRUE", false, true, ""},
		{"boolean", "1", false, nil, "is not a boolean"},
		{"string", "", false, "", ""},
		{"string", "", true, nil, ""},
		{"string", "\xff", false, nil, "is not UTF-8 text"},
		{"date", "2013-02-28", false, "2013-02-28", ""},
		{"date", "2013-02-29", false, nil, "is not a date"},
		{"date-time", "2013-01-01T10:00:00Z", false, "2013-01-01T10:00:00Z", ""},
		{"date-time", "2013-01-01 10:00:00", false, nil, "is not a date-time"},
		{"bytes", "aGk=", false, "aGk=", ""},
		{"bytes", "aGk", false, nil, "is not base64 text"},
		{"array", "[1, null]", false, []any{json.Number("1"), nil}, ""},
		{"array", "{}", false, nil, "is not an array"},
		{"object", `{"a": 1}`, false, map[string]any{"a": json.Number("1")}, ""},
		{"object", `{"a": 1} 2`, false, nil, "is not an object"},
	} {
		f := field{Name: "x", Type: test.kind, Nullable: test.nullable}
		value, err := f.parseCell(test.cell)
		if test.fault == "" && (err != nil || !reflect.DeepEqual(value, test.want)) {
			t.Errorf("%s %q: %#v %v, not %#v", test.kind, test.cell, value, err, test.want)
		}
		if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
			t.Errorf("%s %q: %#v %v, not %q", test.kind, test.cell, value, err, test.fault)
		}
	}
}

func TestWhatAMappingGives(t *testing.T) {
	for _, test := range []struct {
		kind  string
		given any
		want  any
		right bool
	}{
		{"int64", 3.0, int64(3), true},
		{"int64", 3.5, nil, false},
		{"int64", 9.3e18, nil, false},
		{"int64", math.NaN(), nil, false},
		{"double", math.Inf(1), nil, false},
		{"double", int64(3), 3.0, true},
		{"string", int64(3), nil, false},
		{"boolean", "true", nil, false},
		{"boolean", true, true, true},
		{"string", nil, nil, false},
	} {
		value, err := (&field{Type: test.kind}).accept(test.given)
		if (err == nil) != test.right || (err == nil && value != test.want) {
			t.Errorf("%s %v: %v %v", test.kind, test.given, value, err)
		}
	}
}

func TestNestedFieldsAreChecked(t *testing.T) {
	list := field{Name: "l", Type: "array", Items: &field{Type: "int32"}}
	object := field{Name: "o", Type: "object", Properties: []field{{Name: "a", Type: "double", Required: true}}}
	if _, err := list.accept([]any{1.0, "x"}); err == nil || !strings.Contains(err.Error(), "[1]") {
		t.Error(err)
	}
	if _, err := object.accept(map[string]any{"b": 1.0}); err == nil || !strings.Contains(err.Error(), "a is missing") {
		t.Error(err)
	}
}

func TestDoublesComeBack(t *testing.T) {
	for _, number := range []float64{
		0.1 + 0.2, 1.0 / 3, 5e-324, math.MaxFloat64, 1e21, 1e22, 1e-6, 1e-7, 123456789.123456789, 1, 0, -1.5, 1 << 53,
	} {
		var back float64
		if err := json.Unmarshal(appendFloat(nil, number), &back); err != nil || back != number {
			t.Errorf("%v: %s %v", number, appendFloat(nil, number), err)
		}
	}
}

func TestALineOfOneEmptyCellIsNotBlank(t *testing.T) {
	s := &encodeStep{format: "csv", fields: []field{{Name: "a", Type: "string", Nullable: true}}}
	if line, err := s.line(map[string]any{"a": nil}); err != nil || string(line) != `""` {
		t.Errorf("%q %v", line, err)
	}
}
