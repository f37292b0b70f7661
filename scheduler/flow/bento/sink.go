package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"syscall"

	"github.com/warpstreamlabs/bento/public/service"
)

func fileFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField("path").Description("An empty file that is there already: whoever made it owns the name."),
		service.NewStringEnumField("format", "csv", "json-lines"),
		service.NewStringEnumField("compression", "none", "gzip").Default("none"),
	}
}

// sinkFields are those that a sink has whatever becomes of its records.
func sinkFields() []*service.ConfigField {
	deadLetters := append(fileFields()[1:], service.NewStringField("path").Optional().Description(
		"As the sink's; without it dead letters are checked, counted and written nowhere."))
	return []*service.ConfigField{
		service.NewStringListField("header").Description("Columns of a CSV file.").Default([]any{}),
		service.NewObjectField("dead_letters", deadLetters...).Optional().
			Description("Without it the first dead letter ends the stream."),
		service.NewBoolField("flush").Description("Whether each batch is in the files at once.").Default(false),
		service.NewIntField("max_in_flight").Default(8),
	}
}

func fileSinkSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Writes encoded records and dead letters, each to its file, in the order of the source.").
		Description("The first error of a write ends the stream: nothing is tried again, so nothing is doubled.").
		Fields(fileFields()...).
		Fields(sinkFields()...)
}

func testSinkSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Checks the numbers of the records and dead letters that come: their order, duplicates and gaps.").
		Description("The first number that is wrong ends the stream; the records are counted and written nowhere.").
		Fields(service.NewStringEnumField("format", "csv", "json-lines")).
		Fields(sinkFields()...)
}

var deadLetterColumns = []string{"step", "reason", "position", "line", "record"}

type sink struct {
	flow        *flowState
	records     *lineFile
	deadLetters *lineFile
	flush       bool
	written     *service.MetricCounter
	dead        *service.MetricCounter
	mutex       sync.Mutex
	open        bool
}

func (flow *flowState) newSink(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchOutput, service.BatchPolicy, int, error) {
	records, err1 := newLineFile(conf)
	header, err2 := conf.FieldStringList("header")
	inFlight, err3 := conf.FieldInt("max_in_flight")
	flush, err4 := conf.FieldBool("flush")
	metrics := resources.Metrics()
	s := &sink{
		flow: flow, records: records, flush: flush,
		written: metrics.NewCounter("modelops_written"), dead: metrics.NewCounter("modelops_dead_lettered", "step"),
	}
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, service.BatchPolicy{}, 0, err
	}
	s.records.header = header
	if conf.Contains("dead_letters") {
		deadLetters, err := newLineFile(conf.Namespace("dead_letters"))
		if err != nil {
			return nil, service.BatchPolicy{}, 0, err
		}
		s.deadLetters = deadLetters
		s.deadLetters.header = deadLetterColumns
	}
	if !s.records.isFile() || (s.deadLetters != nil && !s.deadLetters.isFile()) {
		flow.check = newCheck()
	}
	return s, service.BatchPolicy{}, inFlight, nil
}

// Connect opens the files; like the source's, its failure ends the stream.
func (s *sink) Connect(context.Context) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open {
		return nil
	}
	s.open = true
	for _, file := range []*lineFile{s.records, s.deadLetters} {
		if file == nil {
			continue
		}
		if err := file.open(); err != nil {
			s.failed(err)
		}
	}
	return nil
}

func (s *sink) failed(err error) {
	reason := sinkNotWritable
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		reason = diskFull
	}
	s.flow.fail(fault{Reason: reason, Message: err.Error()})
}

func (s *sink) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	first := originOf(batch[0])
	if first == nil {
		return errors.New("a message without its record reached the sink")
	}
	if err := s.flow.turn(ctx, first.batch); err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.flow.ctx.Err(); err != nil {
		return err
	}
	for _, message := range batch {
		if err := s.checked(originOf(message)); err != nil {
			return err
		}
		if err := s.write(message); err != nil {
			s.failed(err)
			return err
		}
	}
	if err := s.checkedBatch(); err != nil {
		return err
	}
	if err := s.flushed(); err != nil {
		s.failed(err)
		return err
	}
	return nil
}

// checked ends the stream with a record that should not come now.
func (s *sink) checked(record *origin) error {
	if s.flow.check == nil {
		return nil
	}
	return s.verdict(s.flow.check.arrive(record.position))
}

func (s *sink) checkedBatch() error {
	if s.flow.check == nil {
		return nil
	}
	return s.verdict(s.flow.check.behindBatch())
}

func (s *sink) verdict(err error) error {
	if err != nil {
		s.flow.fail(fault{Reason: sinkCheckFailed, Message: err.Error()})
	}
	return err
}

func (s *sink) flushed() error {
	if !s.flush {
		return nil
	}
	err := s.records.flush()
	if s.deadLetters != nil {
		err = errors.Join(err, s.deadLetters.flush())
	}
	return err
}

func (s *sink) write(message *service.Message) error {
	record := originOf(message)
	if record.failed == "" {
		line, err := message.AsBytes()
		if err != nil {
			return err
		}
		if err := s.flow.end(record, &s.flow.written); err != nil {
			return err
		}
		s.written.Incr(1)
		return s.records.write(line)
	}
	s.flow.noteDeadLetter(record)
	if s.deadLetters == nil {
		s.flow.fail(*record.fault(tooManyDeadLetters))
		return errors.New("there is no channel for dead letters")
	}
	if err := s.flow.end(record, &s.flow.deadLettered); err != nil {
		return err
	}
	s.dead.Incr(1, record.failed)
	return s.deadLetters.write(deadLetter(record, s.flow.header, s.deadLetters.format))
}

// Close flushes; only then the files hold everything that was written, and `closed` says so.
func (s *sink) Close(context.Context) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.open {
		return nil
	}
	s.open = false
	digests, counted := map[string]string{}, map[string]int64{}
	for name, file := range map[string]*lineFile{"sink": s.records, "deadLetters": s.deadLetters} {
		if file == nil {
			continue
		}
		if !file.isFile() {
			counted[name] = file.lines
			continue
		}
		if file.to == nil {
			continue
		}
		if err := file.close(); err != nil {
			s.failed(err)
		}
		digests[name] = "sha256:" + hex.EncodeToString(file.sum.Sum(nil))
	}
	if s.flow.ctx.Err() == nil && s.flow.check != nil {
		_ = s.verdict(s.flow.check.atEnd(s.flow.read.Load())) // an error has ended the stream
	}
	if s.flow.ctx.Err() == nil {
		s.flow.mutex.Lock()
		s.flow.digests, s.flow.counted = digests, counted
		s.flow.mutex.Unlock()
		s.flow.closed.Store(true)
	}
	return nil
}

// deadLetter is one line about a record that a step failed on, with the record as it was read.
func deadLetter(record *origin, header []string, format string) []byte {
	original := originalRecord(record.raw, header)
	if format == "csv" {
		line := appendCell(nil, record.failed)
		line = appendCell(append(line, ','), record.reason)
		line = appendInt(append(line, ','), record.position)
		line = appendInt(append(line, ','), record.line)
		return appendCell(append(line, ','), string(original))
	}
	line := appendJSON([]byte(`{"step":`), record.failed)
	line = appendJSON(append(line, `,"reason":`...), record.reason)
	line = appendInt(append(line, `,"position":`...), record.position)
	line = appendInt(append(line, `,"line":`...), record.line)
	return append(append(append(line, `,"record":`...), original...), '}')
}

// originalRecord is JSON: an object where the text is one (or fits the CSV header), else the text as a string.
func originalRecord(raw []byte, header []string) []byte {
	if header == nil {
		var compact bytes.Buffer
		if value, err := parseJSON(raw); err == nil && value != nil && compactJSON(&compact, raw) {
			return compact.Bytes()
		}
		return appendJSON(nil, string(raw))
	}
	cells, err := splitCSV(raw)
	if err != nil || len(cells) != len(header) {
		return appendJSON(nil, string(raw))
	}
	text := []byte{'{'}
	for i, cell := range cells {
		if i > 0 {
			text = append(text, ',')
		}
		text = appendJSON(append(appendJSON(text, header[i]), ':'), cell)
	}
	return append(text, '}')
}
