package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// csvReader splits a source into CSV records (RFC 4180): a record ends at a line end outside of quotes, blank lines
// are none. Quotes count only where a field begins with one, so a stray quote costs one record and not the file.
type csvReader struct {
	lines *lineReader
	// begun is a record of a followed file whose quote has not been closed yet, and the line that it began in.
	begun []byte
	at    int64
}

func (r *csvReader) next() ([]byte, int64, error) {
	record, line := r.begun, r.at
	state := quoted
	if r.begun = nil; record == nil {
		var err error
		if record, line, err = r.firstLine(); err != nil {
			return nil, 0, err
		}
		state = quoteState(fieldStart, record)
	}
	for state == quoted {
		more, err := r.lines.read()
		if r.lines.isUnfinished(err) {
			r.begun, r.at = record, line
			return nil, 0, err
		}
		if errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("line %d: a quote is opened and never closed", line)
		}
		if err != nil {
			return nil, 0, err
		}
		if len(record)+len(more) > maxRecordBytes {
			return nil, 0, fmt.Errorf("line %d: a record of more than %d MiB", line, maxRecordBytes>>20)
		}
		record = append(record, more...)
		state = quoteState(state, more)
	}
	return trimLineEnd(record), line, nil
}

func (r *csvReader) firstLine() ([]byte, int64, error) {
	for {
		text, err := r.lines.read()
		if err != nil {
			return nil, 0, err
		}
		if len(trimLineEnd(text)) > 0 {
			return text, r.lines.line, nil
		}
	}
}

type csvState int

const (
	fieldStart csvState = iota
	unquoted
	quoted
	afterQuote
)

// quoteState follows one line; the record goes on in the next line when it ends in the state `quoted`.
func quoteState(state csvState, text []byte) csvState {
	if state == fieldStart && bytes.IndexByte(text, '"') < 0 {
		return unquoted
	}
	for _, char := range text {
		switch {
		case state == quoted:
			if char == '"' {
				state = afterQuote
			}
		case char == ',':
			state = fieldStart
		case char == '"' && (state == fieldStart || state == afterQuote):
			state = quoted
		default:
			state = unquoted
		}
	}
	return state
}

var (
	errBareQuote  = errors.New("a quote inside a field that does not begin with one")
	errAfterQuote = errors.New("text after a field's closing quote")
)

// splitCSV gives the fields of one record.
func splitCSV(raw []byte) ([]string, error) {
	text := string(raw)
	fields := make([]string, 0, strings.Count(text, ",")+1)
	if strings.IndexByte(text, '"') < 0 {
		for {
			field, rest, more := strings.Cut(text, ",")
			fields = append(fields, field)
			if !more {
				return fields, nil
			}
			text = rest
		}
	}
	for {
		field, rest, more, err := cutField(text)
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", len(fields)+1, err)
		}
		fields = append(fields, field)
		if !more {
			return fields, nil
		}
		text = rest
	}
}

// cutField takes the first field off a record; more says whether a comma followed.
func cutField(text string) (field, rest string, more bool, err error) {
	if !strings.HasPrefix(text, `"`) {
		field, rest, more = strings.Cut(text, ",")
		if strings.IndexByte(field, '"') >= 0 {
			err = errBareQuote
		}
		return field, rest, more, err
	}
	var value strings.Builder
	for text = text[1:]; ; {
		end := strings.IndexByte(text, '"')
		if end < 0 {
			return "", "", false, errors.New("a quote is opened and never closed")
		}
		value.WriteString(text[:end])
		text = text[end+1:]
		if !strings.HasPrefix(text, `"`) {
			break
		}
		value.WriteByte('"')
		text = text[1:]
	}
	if text == "" {
		return value.String(), "", false, nil
	}
	if text[0] != ',' {
		return "", "", false, errAfterQuote
	}
	return value.String(), text[1:], true, nil
}
