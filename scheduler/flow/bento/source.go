package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/warpstreamlabs/bento/public/service"
)

// recordReader splits a source into records.
type recordReader interface {
	// next gives the record's bytes without its line end, and its first line, counted from 1; io.EOF at a clean end,
	// errNothingYet at the end so far of a source that goes on.
	next() (raw []byte, line int64, err error)
}

// feed is where a source's records come from.
type feed interface {
	recordReader
	// open is called once, before the first record; a fault ends the stream.
	open() *fault
	// name is how messages call it.
	name() string
	close() error
}

// drainable is a feed without an end of its own.
type drainable interface {
	// drain ends the reading at size, in the feed's own unit, or at what has been read already, and says where that is.
	drain(size int64) int64
}

// batchFields say how records are read together.
func batchFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewIntField("rows").Description("Records a batch.").Default(256),
		service.NewDurationField("period").Description("How long a record waits for others that are not there yet.").
			Default("50ms"),
		service.NewIntField("in_flight").Description("Batches on their way at once.").Default(8),
	}
}

// followPause is how often a source is asked again that had nothing new, at the latest.
const followPause = 25 * time.Millisecond

type source struct {
	flow    *flowState
	feed    feed
	rows    int
	period  time.Duration
	counted *service.MetricCounter

	isOpen   bool
	position int64
	batch    uint64
	credit   chan struct{}
}

func (flow *flowState) newSource(
	conf *service.ParsedConfig, resources *service.Resources, records feed,
) (*source, error) {
	rows, err1 := conf.FieldInt("rows")
	inFlight, err2 := conf.FieldInt("in_flight")
	period, err3 := conf.FieldDuration("period")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if rows < 1 || inFlight < 1 || period < time.Millisecond {
		return nil, errors.New("rows and in_flight must be at least 1, and period 1ms")
	}
	return &source{
		flow: flow, feed: records, rows: rows, period: period, credit: make(chan struct{}, inFlight),
		counted: resources.Metrics().NewCounter("modelops_read"),
	}, nil
}

// Connect opens the feed. Bento would try a failed connection for ever, so a failure is kept and the stream ends.
func (s *source) Connect(context.Context) error {
	if s.isOpen {
		return nil
	}
	s.isOpen = true
	if failure := s.feed.open(); failure != nil {
		s.flow.fail(*failure)
	}
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
		s.flow.fail(fault{Reason: sourceDamaged, Message: fmt.Sprintf("%s: %v", s.feed.name(), err)})
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
	if s.flow.ctx.Err() != nil {
		return nil, nil
	}
	messages := make(service.MessageBatch, 0, s.rows)
	origins := make([]origin, s.rows)
	var since time.Time
	for len(messages) < s.rows {
		raw, line, err := s.feed.next()
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
		if len(messages) == 0 {
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

// pause waits for more of the source, no longer than a batch begun at since may wait; false when the stream ends.
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

func (s *source) Close(context.Context) error { return s.feed.close() }
