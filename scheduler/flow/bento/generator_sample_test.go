package main

import (
	"os"
	"strings"
	"testing"
)

// everything is the schema of the sample in docs/test-data.md.
var everything = []field{
	{Name: "flag", Type: "boolean", Required: true},
	{Name: "small", Type: "int32", Required: true, Nullable: true},
	{Name: "number", Type: "int64", Required: true},
	{Name: "half", Type: "float"},
	{Name: "ratio", Type: "double", Required: true},
	{Name: "name", Type: "string", Required: true, Nullable: true},
	{Name: "raw", Type: "bytes"},
	{Name: "day", Type: "date"},
	{Name: "time", Type: "date-time"},
	{Name: "list", Type: "array", Items: &field{Type: "double", Nullable: true}},
	{Name: "place", Type: "object", Properties: []field{
		{Name: "city", Type: "string", Required: true}, {Name: "since", Type: "date"},
	}},
}

func TestTheSampleOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/test-data.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(text), "```json\n")
	sample, _, found := strings.Cut(sample, "\n```")
	lines := strings.Split(sample, "\n")
	if !found || len(lines) != 8 {
		t.Fatal(lines)
	}
	g := &generator{fields: everything, seed: 14, badShare: 0.3}
	for i, line := range lines {
		if made := string(g.record(int64(i) + 1)); made != line {
			t.Errorf("record %d: %s, not %s", i+1, made, line)
		}
	}
}
