package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run loads a configuration as the API would, waits for its end, and gives its report.
func run(t testing.TB, config string) map[string]any {
	t.Helper()
	if problems := lint([]byte(config)); len(problems) > 0 {
		t.Fatal(problems)
	}
	loaded, err := start(config)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-loaded.ended:
	case <-time.After(60 * time.Second):
		t.Fatal("the stream does not end")
	}
	return loaded.report()
}

// files makes a folder with a source and the two empty files of a result.
func files(t testing.TB, source string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range map[string]string{"in": source, "out": "", "dead": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func lines(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// echo answers every inference with its first tensor.
func echo(t testing.TB) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var body struct {
			Inputs []struct {
				Shape []int           `json:"shape"`
				Data  json.RawMessage `json:"data"`
			} `json:"inputs"`
		}
		text, _ := io.ReadAll(request.Body)
		if err := json.Unmarshal(text, &body); err != nil {
			t.Error(err)
		}
		first := body.Inputs[0]
		fmt.Fprintf(w, `{"outputs":[{"name":"p","shape":[%d],"datatype":"FP64","data":%s}]}`, first.Shape[0], first.Data)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const scored = `
input: {modelops_file: {path: "FOLDER/in", format: csv, required: [id]}}
pipeline:
  threads: 4
  processors:
    - modelops_decode: {step: decode, format: csv, fields: FIELDS}
    - modelops_filter: {step: f.some, condition: this.a != 7}
    - modelops_map:
        step: f.code
        mapping: |
          root = this
          root.code = {"9E": 0, "AA": 1, "AS": 2, "B6": 3, "DL": 4, "EV": 5}.get(this.carrier)
    - modelops_score:
        step: f.score
        model: m
        url: URL
        inputs:
          - {field: a, tensor: a, datatype: FP64, type: double}
          - {field: b, tensor: b, datatype: FP64, type: double}
          - {field: code, tensor: code, datatype: FP64, type: double}
        output: {field: p, tensor: p, type: double}
    - modelops_map: {step: f.late, mapping: "root = this\nroot.late = this.p >= 0.5"}
    - modelops_encode: {step: encode, format: json-lines, fields: FIELDS}
output:
  modelops_file: {path: "FOLDER/out", format: json-lines, dead_letters: {path: "FOLDER/dead", format: json-lines}}
logger: {level: "OFF"}
metrics: {prometheus: {}}
`

// wide is a flow over the columns id, a, b, carrier, when and some more.
func wide(folder, url string) string {
	fields := []map[string]any{
		{"name": "id", "type": "int64", "required": true},
		{"name": "a", "type": "int32", "nullable": true},
		{"name": "b", "type": "double", "nullable": true},
		{"name": "carrier", "type": "string"},
		{"name": "when", "type": "date-time"},
		{"name": "code", "type": "int32"},
		{"name": "p", "type": "double"},
		{"name": "late", "type": "boolean"},
	}
	for i := range 12 {
		fields = append(fields, map[string]any{"name": fmt.Sprintf("n%d", i), "type": "int32"})
	}
	text, _ := json.Marshal(fields)
	return strings.NewReplacer("FOLDER", folder, "FIELDS", string(text), "URL", url).Replace(scored)
}

func wideSource(rows int) string {
	var text strings.Builder
	text.WriteString("id,a,b,carrier,when,n0,n1,n2,n3,n4,n5,n6,n7,n8,n9,n10,n11\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d,%g,AA,2013-01-01T10:00:00Z,2013,1,2,517,515,2,830,819,11,1545,227,1400\n", i, i%10, float64(i)/7)
	}
	return text.String()
}

func TestOrderIsTheSources(t *testing.T) {
	folder := files(t, wideSource(20_000))
	report := run(t, wide(folder, echo(t)))
	ledger := report["ledger"].(map[string]int64)
	if report["failure"].(*fault) != nil || ledger["written"] != 18_000 || ledger["filtered"] != 2_000 {
		t.Fatal(report)
	}
	last := int64(-1)
	for _, line := range lines(t, filepath.Join(folder, "out")) {
		var record struct{ ID int64 }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.ID <= last {
			t.Fatal(line, last, err)
		}
		last = record.ID
	}
}

// BenchmarkFlow is the engine alone: decode, filter, two maps, a score step over HTTP, encode.
func BenchmarkFlow(b *testing.B) {
	folder := files(b, wideSource(b.N))
	config := wide(folder, echo(b))
	b.ResetTimer()
	run(b, config)
}
