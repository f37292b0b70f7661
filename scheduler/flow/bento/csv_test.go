package main

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRecordsOfACSVFile(t *testing.T) {
	type row struct {
		line int64
		raw  string
	}
	for name, test := range map[string]struct {
		text string
		rows []row
		err  string
	}{
		"plain":                {"a,b\n1,2\n", []row{{1, "a,b"}, {2, "1,2"}}, ""},
		"no last line end":     {"a\r\nb", []row{{1, "a"}, {2, "b"}}, ""},
		"blank lines":          {"\n\na\n\r\n\nb\n\n", []row{{3, "a"}, {6, "b"}}, ""},
		"byte order mark":      {"\xef\xbb\xbfa\n", []row{{1, "a"}}, ""},
		"line end in quotes":   {"a,\"b\n\nc\"\nd,e\n", []row{{1, "a,\"b\n\nc\""}, {4, "d,e"}}, ""},
		"escaped quote":        {"\"a\"\"\nb\"\"\"\nc\n", []row{{1, "\"a\"\"\nb\"\"\""}, {3, "c"}}, ""},
		"stray quote":          {"a\"b\nc\n", []row{{1, "a\"b"}, {2, "c"}}, ""},
		"text after a quote":   {"\"a\"b\"\nc\n", []row{{1, "\"a\"b\""}, {2, "c"}}, ""},
		"quote never closed":   {"a\n\"b\nc\n", []row{{1, "a"}}, "line 2: a quote is opened and never closed"},
		"nothing":              {"", nil, ""},
		"lone carriage return": {"a\rb\n\r\n", []row{{1, "a\rb"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reader := &csvReader{lines: newLineReader(strings.NewReader(test.text))}
			var rows []row
			for {
				raw, line, err := reader.next()
				if errors.Is(err, io.EOF) && test.err == "" {
					break
				}
				if err != nil {
					if err.Error() != test.err {
						t.Fatalf("%v, not %q", err, test.err)
					}
					break
				}
				rows = append(rows, row{line, string(raw)})
			}
			if !reflect.DeepEqual(rows, test.rows) {
				t.Fatalf("%+v, not %+v", rows, test.rows)
			}
		})
	}
}

func TestFieldsOfARecord(t *testing.T) {
	for text, want := range map[string][]string{
		"a,b,c":      {"a", "b", "c"},
		",":          {"", ""},
		`"a,b",c`:    {"a,b", "c"},
		`"a""b",""`:  {`a"b`, ""},
		"\"a\nb\",c": {"a\nb", "c"},
		`"",`:        {"", ""},
		` a , b `:    {" a ", " b "},
	} {
		fields, err := splitCSV([]byte(text))
		if err != nil || !reflect.DeepEqual(fields, want) {
			t.Errorf("%q: %q %v, not %q", text, fields, err, want)
		}
	}
	for _, text := range []string{`a"b,c`, `"a"b,c`, `"a`, `a,"b`} {
		if fields, err := splitCSV([]byte(text)); err == nil {
			t.Errorf("%q: %q", text, fields)
		}
	}
}
