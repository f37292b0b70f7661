package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/warpstreamlabs/bento/public/service"
)

func sourceSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Reads the records of one file, once, and ends.").
		Description("Each record keeps its position and its line. A row that does not fit is a record like any other; "+
			"a file that cannot be read to its end stops the stream with a failure instead of ending it quietly.").
		Fields(
			service.NewStringField("path"),
			service.NewStringEnumField("format", "csv", "json-lines"),
			service.NewStringEnumField("compression", "none", "gzip").Default("none"),
			service.NewStringListField("required").Description("Columns that a CSV header must have.").Default([]any{}),
			service.NewIntField("rows").Description("Records a batch.").Default(256),
			service.NewIntField("in_flight").Description("Batches on their way at once.").Default(8),
		)
}

// recordReader splits a source into records.
type recordReader interface {
	// next gives the record's bytes without its line end, and its first line, counted from 1; io.EOF at a clean end.
	next() (raw []byte, line int64, err error)
}

type source struct {
	flow     *flowState
	path     string
	format   string
	gzipped  bool
	required []string
	rows     int
	counted  *service.MetricCounter

	file     *os.File
	records  recordReader
	position int64
	batch    uint64
	credit   chan struct{}
}

func (flow *flowState) newSource(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchInput, error) {
	path, err1 := conf.FieldString("path")
	format, err2 := conf.FieldString("format")
	compression, err3 := conf.FieldString("compression")
	required, err4 := conf.FieldStringList("required")
	rows, err5 := conf.FieldInt("rows")
	inFlight, err6 := conf.FieldInt("in_flight")
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	if rows < 1 || inFlight < 1 {
		return nil, errors.New("rows and in_flight must be at least 1")
	}
	return &source{
		flow: flow, path: path, format: format, gzipped: compression == "gzip", required: required, rows: rows,
		credit: make(chan struct{}, inFlight), counted: resources.Metrics().NewCounter("modelops_read"),
	}, nil
}

// Connect opens the file. Bento would try a failed connection for ever, so a failure is kept and the stream ends.
func (s *source) Connect(context.Context) error {
	if s.file != nil {
		return nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		s.flow.fail(fault{Reason: sourceMissing, Message: err.Error()})
		return nil
	}
	s.file = file
	if err := s.open(file); err != nil {
		s.flow.fail(fault{Reason: sourceDamaged, Message: fmt.Sprintf("%s: %v", s.path, err)})
	}
	return nil
}

func (s *source) open(file io.Reader) error {
	stream := file
	if s.gzipped {
		unzipped, err := gzip.NewReader(file)
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty, not a gzip file")
		}
		if err != nil {
			return err
		}
		stream = unzipped
	}
	if s.format == "json-lines" {
		s.records = newLineReader(stream)
		return nil
	}
	reader := newCSVReader(stream)
	s.records = reader
	raw, _, err := reader.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.takeHeader(raw)
}

func (s *source) takeHeader(raw []byte) error {
	header, err := splitCSV(raw)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	seen := map[string]bool{}
	for _, column := range header {
		if seen[column] {
			return fmt.Errorf("header: two columns are named '%s'", column)
		}
		seen[column] = true
	}
	for _, column := range s.required {
		if !seen[column] {
			return fmt.Errorf("header: there is no column '%s' (it has %s)", column, strings.Join(header, ", "))
		}
	}
	s.flow.header = header
	return nil
}

func (s *source) ReadBatch(ctx context.Context) (service.MessageBatch, service.AckFunc, error) {
	select {
	case s.credit <- struct{}{}:
	case <-s.flow.ctx.Done():
		return nil, nil, service.ErrEndOfInput
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	messages, err := s.take()
	if err != nil {
		s.flow.fail(fault{Reason: sourceDamaged, Message: fmt.Sprintf("%s: %v", s.path, err)})
	}
	if err != nil || len(messages) == 0 || s.flow.ctx.Err() != nil {
		<-s.credit
		return nil, nil, service.ErrEndOfInput
	}
	batch := s.batch
	s.batch++
	s.flow.read.Add(int64(len(messages)))
	s.counted.Incr(int64(len(messages)))
	var once sync.Once
	return messages, func(_ context.Context, err error) error {
		once.Do(func() {
			if err != nil {
				s.flow.fail(fault{Reason: flowCrashed, Message: fmt.Sprintf("batch %d was refused: %v", batch, err)})
			}
			s.flow.acknowledge(batch)
			<-s.credit
		})
		return nil
	}, nil
}

// take reads the next records; none at the end of the source.
func (s *source) take() (service.MessageBatch, error) {
	if s.records == nil {
		return nil, nil
	}
	messages := make(service.MessageBatch, 0, s.rows)
	origins := make([]origin, s.rows)
	for len(messages) < s.rows {
		raw, line, err := s.records.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		s.position++
		record := &origins[len(messages)]
		*record = origin{batch: s.batch, position: s.position, line: line, raw: raw}
		message := service.NewMessage(raw).WithContext(context.WithValue(context.Background(), originKey{}, record))
		messages = append(messages, message)
	}
	return messages, nil
}

func (s *source) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
