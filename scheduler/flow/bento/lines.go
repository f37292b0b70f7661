package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRecordBytes bounds one record: beyond it a quote was opened and never closed, or the file is no text.
const maxRecordBytes = 16 << 20

var byteOrderMark = []byte("\xef\xbb\xbf")

// lineReader gives every line that is not blank. A line ends with LF or CR LF; the last one may lack its end, unless
// the file is followed: then a line is there once it has ended.
type lineReader struct {
	from     *bufio.Reader
	line     int64
	followed bool
	// begun is a line whose end has not been written yet.
	begun []byte
}

func newLineReader(from io.Reader) *lineReader {
	return &lineReader{from: bufio.NewReaderSize(from, 1<<18)}
}

func (r *lineReader) next() ([]byte, int64, error) {
	for {
		text, err := r.read()
		if err != nil {
			return nil, 0, err
		}
		if text = trimLineEnd(text); len(text) > 0 {
			return text, r.line, nil
		}
	}
}

// read gives the next line with its end, in memory of its own; io.EOF when there is none, errNothingYet when there is
// none so far.
func (r *lineReader) read() ([]byte, error) {
	text := r.begun
	r.begun = nil
	for {
		part, err := r.from.ReadSlice('\n')
		text = append(text, part...)
		if len(text) > maxRecordBytes {
			return nil, fmt.Errorf("line %d: a record of more than %d MiB", r.line+1, maxRecordBytes>>20)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if r.isUnfinished(err) {
			r.begun = text
			return nil, err
		}
		if errors.Is(err, io.EOF) && len(text) > 0 {
			err = nil
		}
		if err != nil {
			return nil, err
		}
		r.line++
		if r.line == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		return text, nil
	}
}

// isUnfinished says that err came before the end of a line of a followed file.
func (r *lineReader) isUnfinished(err error) bool {
	return r.followed && (errors.Is(err, errNothingYet) || errors.Is(err, io.EOF))
}

func trimLineEnd(text []byte) []byte {
	text = bytes.TrimSuffix(text, []byte{'\n'})
	return bytes.TrimSuffix(text, []byte{'\r'})
}
