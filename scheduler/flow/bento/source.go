package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/warpstreamlabs/bento/public/service"
)

func sourceSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Reads the records of one file, once, and ends; or follows a file as it grows, until it is drained.").
		Description("Each record keeps its position and its line. A row that does not fit is a record like any other; "+
			"a file that cannot be read to its end, or is followed and does anything but grow, stops the stream with a "+
			"failure instead of ending it quietly.").
		Fields(
			service.NewStringField("path"),
			service.NewStringEnumField("format", "csv", "json-lines"),
			service.NewStringEnumField("compression", "none", "gzip").Default("none"),
			service.NewStringListField("required").Description("Columns that a CSV header must have.").Default([]any{}),
			service.NewIntField("rows").Description("Records a batch.").Default(256),
			service.NewBoolField("follow").Description("Whether the file grows.").Default(false),
			service.NewDurationField("period").Description("How long a record of a file that grows waits for others.").
				Default("50ms"),
			service.NewIntField("in_flight").Description("Batches on their way at once.").Default(8),
		)
}

// recordReader splits a source into records.
type recordReader interface {
	// next gives the record's bytes without its line end, and its first line, counted from 1; io.EOF at a clean end,
	// errNothingYet at the end so far of a followed file.
	next() (raw []byte, line int64, err error)
}

// followPause is how often a followed file is looked at when there is nothing new in it, at the latest.
const followPause = 25 * time.Millisecond

type source struct {
	flow     *flowState
	path     string
	format   string
	gzipped  bool
	required []string
	rows     int
	period   time.Duration
	counted  *service.MetricCounter

	// followed is nil for a file that is read once.
	followed  *followedFile
	file      *os.File
	records   recordReader
	hasHeader bool
	position  int64
	batch     uint64
	credit    chan struct{}
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
	follow, err7 := conf.FieldBool("follow")
	period, err8 := conf.FieldDuration("period")
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8); err != nil {
		return nil, err
	}
	if rows < 1 || inFlight < 1 || period < time.Millisecond {
		return nil, errors.New("rows and in_flight must be at least 1, and period 1ms")
	}
	s := &source{
		flow: flow, path: path, format: format, gzipped: compression == "gzip", required: required, rows: rows,
		period: period, credit: make(chan struct{}, inFlight), counted: resources.Metrics().NewCounter("modelops_read"),
	}
	if follow {
		if s.gzipped {
			return nil, errors.New("a gzip file cannot be followed")
		}
		s.followed = &followedFile{path: path, end: -1}
	}
	flow.setSource(s.followed)
	return s, nil
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

func (s *source) open(file *os.File) error {
	var stream io.Reader = file
	if s.followed != nil {
		s.followed.file = file
		stream = s.followed
	}
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
	lines := newLineReader(stream)
	lines.followed = s.followed != nil
	s.records = lines
	if s.format == "csv" {
		s.records = &csvReader{lines: lines}
	}
	return nil
}

// next gives the next record; the first one of a CSV file is its header.
func (s *source) next() ([]byte, int64, error) {
	if s.format == "csv" && !s.hasHeader {
		raw, _, err := s.records.next()
		if err != nil {
			return nil, 0, err
		}
		if err := s.takeHeader(raw); err != nil {
			return nil, 0, err
		}
		s.hasHeader = true
	}
	return s.records.next()
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
	messages, err := s.take(ctx)
	if len(messages) == 0 && ctx.Err() != nil {
		<-s.credit
		return nil, nil, ctx.Err()
	}
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

// take reads the next records; none at the end of the source, or when the stream ends meanwhile.
func (s *source) take(ctx context.Context) (service.MessageBatch, error) {
	if s.records == nil {
		return nil, nil
	}
	messages := make(service.MessageBatch, 0, s.rows)
	origins := make([]origin, s.rows)
	var since time.Time
	for len(messages) < s.rows {
		raw, line, err := s.next()
		if errors.Is(err, errNothingYet) {
			if len(messages) > 0 && time.Since(since) >= s.period {
				break
			}
			if !s.pause(ctx, since) {
				return nil, nil
			}
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if s.followed != nil && len(messages) == 0 {
			since = time.Now()
		}
		s.position++
		record := &origins[len(messages)]
		*record = origin{batch: s.batch, position: s.position, line: line, raw: raw}
		message := service.NewMessage(raw).WithContext(context.WithValue(context.Background(), originKey{}, record))
		messages = append(messages, message)
	}
	return messages, nil
}

// pause waits for more of a followed file, no longer than a batch begun at since may wait; false when the stream ends.
func (s *source) pause(ctx context.Context, since time.Time) bool {
	wait := min(followPause, s.period)
	if !since.IsZero() {
		wait = min(wait, max(0, s.period-time.Since(since)))
	}
	select {
	case <-time.After(wait):
		return true
	case <-s.flow.ctx.Done():
	case <-ctx.Done():
	}
	return false
}

func (s *source) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
