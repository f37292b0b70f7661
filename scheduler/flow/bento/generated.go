package main

import (
	"encoding/base64"
	"time"
)

// sometimes is how often, one in so many, a field that may be null is, and one that may be absent is.
const sometimes = 8

// seldom is how often, one in so many, a value is an awkward one of its type.
const seldom = 16

const (
	million       = 1_000_000
	lastDay       = 47_482 // days of 1970-01-01 … 2099-12-31
	firstSecond   = 946_684_800
	thirtyYears   = 946_684_800
	longestText   = 12
	longestArray  = 3
	letters       = 26
	smallFraction = 1000
)

// awkward texts are those that files and programs like to get wrong.
var awkward = []string{
	"", `say "hello"`, "a, b; c", "two\nlines", " spaces ", "Straße", "漢字 😀", "null",
}

// appendObject writes an object with these fields.
func (d *draws) appendObject(text []byte, fields []field) []byte {
	text = append(text, '{')
	begin := len(text)
	for i := range fields {
		f := &fields[i]
		if !f.Required && d.below(sometimes) == 0 {
			continue
		}
		if len(text) > begin {
			text = append(text, ',')
		}
		text = d.appendValue(append(appendJSON(text, f.Name), ':'), f)
	}
	return append(text, '}')
}

func (d *draws) appendValue(text []byte, f *field) []byte {
	if f.Nullable && d.below(sometimes) == 0 {
		return append(text, "null"...)
	}
	switch f.Type {
	case "array":
		return d.appendArray(text, f.Items)
	case "object":
		return d.appendObject(text, f.Properties)
	}
	return appendJSON(text, d.value(f.Type))
}

func (d *draws) appendArray(text []byte, items *field) []byte {
	if items == nil {
		items = &field{Type: "int64"}
	}
	text = append(text, '[')
	for i := range d.below(longestArray + 1) {
		if i > 0 {
			text = append(text, ',')
		}
		text = d.appendValue(text, items)
	}
	return append(text, ']')
}

// value is one of a type that is neither array nor object.
func (d *draws) value(kind string) any {
	switch kind {
	case "boolean":
		return d.below(2) == 1
	case "int32", "int64":
		if d.below(seldom) > 0 {
			return d.small()
		}
		if kind == "int32" {
			return int64(int32(d.next() >> 32))
		}
		return int64(d.next())
	case "float":
		return float64(d.small()) / 8
	case "double":
		if d.below(seldom) > 0 {
			return float64(d.small()) / smallFraction
		}
		return 2*d.share() - 1
	case "bytes":
		raw := make([]byte, d.below(longestText+1))
		for i := range raw {
			raw[i] = byte(d.below(256))
		}
		return base64.StdEncoding.EncodeToString(raw)
	case "date":
		return time.Unix(d.below(lastDay)*86_400, 0).UTC().Format(time.DateOnly)
	case "date-time":
		return time.Unix(firstSecond+d.below(thirtyYears), 0).UTC().Format(time.RFC3339)
	}
	return d.text()
}

// small is a whole number of at most a million.
func (d *draws) small() int64 { return d.below(2*million+1) - million }

func (d *draws) text() string {
	if d.below(seldom) == 0 {
		return awkward[d.below(uint64(len(awkward)))]
	}
	text := make([]byte, 1+d.below(longestText))
	for i := range text {
		text[i] = 'a' + byte(d.below(letters))
	}
	return string(text)
}
