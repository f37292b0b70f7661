package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

var everyType = []field{
	{Name: "a", Type: "boolean", Required: true},
	{Name: "b", Type: "int32", Nullable: true},
	{Name: "c", Type: "int64", Required: true},
	{Name: "d", Type: "float"},
	{Name: "e", Type: "double", Required: true},
	{Name: "f", Type: "string", Nullable: true},
	{Name: "g", Type: "bytes"},
	{Name: "h", Type: "date"},
	{Name: "i", Type: "date-time"},
	{Name: "j", Type: "array", Items: &field{Type: "double", Nullable: true}},
	{Name: "k", Type: "object", Properties: []field{{Name: "l", Type: "string", Required: true}, {Name: "m", Type: "date"}}},
	{Name: "n", Type: "object"},
	{Name: "o", Type: "array"},
}

func decoded(fields []field, text []byte) error {
	_, err := (&decodeStep{format: "json-lines", fields: fields}).decodeJSON(text)
	return err
}

func TestGoodRecordsFitAndBadOnesDoNot(t *testing.T) {
	kinds := map[spoilt]int{}
	for seed := range uint64(3) {
		g := &generator{fields: everyType, seed: seed, badShare: 0.5}
		for number := int64(1); number <= 3000; number++ {
			how := g.spoilt(number)
			kinds[how]++
			text := g.record(number)
			if err := decoded(everyType, text); (err == nil) != (how == sound) {
				t.Fatalf("seed %d record %d (%v): %s %v", seed, number, how, text, err)
			}
		}
	}
	for how := sound; how <= wrong; how++ {
		if kinds[how] < 1000 {
			t.Error(kinds)
		}
	}
}

func TestABadRecordOfAnyFieldIsBad(t *testing.T) {
	for i := range everyType {
		fields := everyType[i : i+1]
		g := &generator{fields: fields, badShare: 1}
		for number := range int64(200) {
			if text := g.record(number + 1); decoded(fields, text) == nil {
				t.Fatalf("%s: %s", fields[0].Type, text)
			}
		}
	}
}

func TestOtherRecordsDoNotChangeWithTheShareOfBadOnes(t *testing.T) {
	some, none := &generator{fields: everyType, seed: 5, badShare: 0.3}, &generator{fields: everyType, seed: 5}
	bad := 0
	for number := int64(1); number <= 1000; number++ {
		if how := some.spoilt(number); how != sound {
			bad++
		} else if string(some.record(number)) != string(none.record(number)) {
			t.Fatal(number)
		}
	}
	if bad < 250 || bad > 350 {
		t.Fatal(bad)
	}
}

func TestSeedsDiffer(t *testing.T) {
	seen := map[string]bool{}
	fields := []field{{Name: "a", Type: "int64", Required: true}, {Name: "b", Type: "string", Required: true}}
	for seed := range uint64(20) {
		for number := int64(1); number <= 100; number++ {
			seen[string((&generator{fields: fields, seed: seed}).record(number))] = true
		}
	}
	if len(seen) != 2000 {
		t.Fatal(len(seen))
	}
}

const generating = `
input: {modelops_test: {seed: 3, count: COUNT, rate: RATE, bad_share: 0.1, rows: 64, fields: FIELDS}}
pipeline:
  threads: 4
  processors:
    - modelops_decode: {step: decode, format: json-lines, fields: FIELDS}
    - modelops_filter: {step: f.some, condition: this.id % 3 != 0}
    - modelops_encode: {step: encode, format: json-lines, fields: FIELDS}
output: {modelops_test: {format: json-lines, dead_letters: {format: json-lines}}}
logger: {level: "OFF"}
metrics: {prometheus: {}}
`

func generated(count int, rate float64) string {
	return strings.NewReplacer("FIELDS", idAndName, "COUNT", fmt.Sprint(count), "RATE", fmt.Sprint(rate)).Replace(generating)
}

func TestAGeneratorAndACheckingSink(t *testing.T) {
	report := run(t, generated(20_000, 0))
	ledger := report["ledger"].(map[string]int64)
	if report["failure"].(*fault) != nil || report["closed"] != true || ledger["read"] != 20_000 {
		t.Fatal(report)
	}
	g := &generator{fields: []field{{Name: "id", Type: "int64", Required: true}, {Name: "name", Type: "string"}}, seed: 3, badShare: 0.1}
	want := map[string]int64{"read": 20_000, "written": 0, "deadLettered": 0, "dropped": 0, "filtered": 0, "split": 0, "folded": 0}
	for number := int64(1); number <= 20_000; number++ {
		var record struct{ ID int64 }
		if how := g.spoilt(number); how != sound {
			want["deadLettered"]++
		} else if err := json.Unmarshal(g.record(number), &record); err != nil {
			t.Fatal(err)
		} else if record.ID%3 == 0 {
			want["filtered"]++
		} else {
			want["written"]++
		}
	}
	counted := report["counted"].(map[string]int64)
	if fmt.Sprint(ledger) != fmt.Sprint(want) || counted["sink"] != want["written"] || counted["deadLetters"] != want["deadLettered"] {
		t.Fatal(ledger, want, counted)
	}
}

func TestARateIsKept(t *testing.T) {
	began := time.Now()
	report := run(t, generated(200, 1000))
	if took := time.Since(began); took < 190*time.Millisecond || report["ledger"].(map[string]int64)["read"] != 200 {
		t.Fatal(took, report)
	}
}

func TestAnEndlessGeneratorIsDrained(t *testing.T) {
	loaded, err := start(generated(0, 20_000))
	if err != nil {
		t.Fatal(err)
	}
	for loaded.flow.read.Load() < 500 {
		time.Sleep(time.Millisecond)
	}
	end, isEndless := loaded.flow.drain(0)
	again, _ := loaded.flow.drain(0)
	select {
	case <-loaded.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
	report := loaded.report()
	if read := report["ledger"].(map[string]int64)["read"]; !isEndless || end < 500 || again != end || read != end {
		t.Fatal(end, again, report)
	}
	if report["failure"].(*fault) != nil || report["closed"] != true {
		t.Fatal(report)
	}
}

func BenchmarkGenerator(b *testing.B) {
	g := &generator{fields: everyType, badShare: 0.01}
	for number := range int64(b.N) {
		g.record(number + 1)
	}
}
