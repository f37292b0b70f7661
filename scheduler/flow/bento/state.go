package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/warpstreamlabs/bento/public/service"
)

// Reasons of a failure; the flow runner passes them on, so they are the names of its closed set.
const (
	sourceMissing      = "SourceMissing"
	sourceDamaged      = "SourceDamaged"
	sinkNotWritable    = "SinkNotWritable"
	diskFull           = "DiskFull"
	tooManyDeadLetters = "TooManyDeadLetters"
	recordFailed       = "RecordFailed"
	serviceCrashed     = "ServiceCrashed"
	flowCrashed        = "FlowCrashed"
	accountingMismatch = "AccountingMismatch"
	sinkCheckFailed    = "SinkCheckFailed"
)

// fault is why something was not done, and where: with a reason it is the end of the stream, without one a dead letter.
type fault struct {
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message"`
	Step     string `json:"step,omitempty"`
	Position int64  `json:"position,omitempty"`
	Line     int64  `json:"line,omitempty"`
}

// flowState is what the components of one stream share: the counters of the ledger, the first failure, and the order
// of batches. Every counter is counted where its record leaves the stream or enters it, none from another.
type flowState struct {
	read, filtered, dropped, written, deadLettered atomic.Int64
	// closed is true once the sink has flushed and closed its files without an error.
	closed atomic.Bool
	// digests of the files' bytes as they were handed to the disk, by file; set before closed is.
	digests map[string]string
	// counted are the lines that a test sink took, by end: no file holds them. Set before closed is.
	counted map[string]int64
	// check is there when a test sink takes records or dead letters; set before the first batch.
	check *check
	// header holds the columns of a CSV source; set before the first batch.
	header []string

	// ctx ends with the first failure, or when the stream is stopped.
	ctx  context.Context
	stop context.CancelFunc

	mutex      sync.Mutex
	failure    *fault
	deadLetter *fault
	waiting    string
	// endless is the source when it has no end of its own; sourced is closed when there is a source.
	endless drainable
	sourced chan struct{}
	// next is the lowest batch that has not been acknowledged; turned is closed and made anew when it changes.
	next   uint64
	done   map[uint64]bool
	turned chan struct{}
}

func newFlowState() *flowState {
	ctx, stop := context.WithCancel(context.Background())
	return &flowState{ctx: ctx, stop: stop, done: map[uint64]bool{}, turned: make(chan struct{}), sourced: make(chan struct{})}
}

// fail ends the stream; the first failure is kept.
func (flow *flowState) fail(failure fault) {
	flow.mutex.Lock()
	if flow.failure == nil {
		flow.failure = &failure
	}
	flow.mutex.Unlock()
	flow.stop()
}

// end counts a record where it leaves the stream. One that leaves it a second time is the end of the stream: sums alone
// would not tell a lost and a doubled record from two good ones.
func (flow *flowState) end(record *origin, counter *atomic.Int64) error {
	if record.ended.Swap(true) {
		err := fmt.Errorf("record %d (line %d) came to an end twice", record.position, record.line)
		flow.fail(fault{Reason: accountingMismatch, Message: err.Error()})
		return err
	}
	counter.Add(1)
	return nil
}

// noteDeadLetter keeps the first dead letter, to name it when there are too many.
func (flow *flowState) noteDeadLetter(record *origin) {
	flow.mutex.Lock()
	defer flow.mutex.Unlock()
	if flow.deadLetter == nil {
		flow.deadLetter = record.fault("")
	}
}

// wait says what the stream is waiting for; empty when it goes on.
func (flow *flowState) wait(message string) {
	flow.mutex.Lock()
	flow.waiting = message
	flow.mutex.Unlock()
}

// setSource says that there is a source now, and what can be drained of it; nil for one that ends by itself.
func (flow *flowState) setSource(endless drainable) {
	flow.mutex.Lock()
	flow.endless = endless
	flow.mutex.Unlock()
	close(flow.sourced)
}

// drain ends an endless source at so much, or where it has been read to, and says where; false without one.
func (flow *flowState) drain(size int64) (int64, bool) {
	flow.mutex.Lock()
	endless := flow.endless
	flow.mutex.Unlock()
	if endless == nil {
		return 0, false
	}
	return endless.drain(size), true
}

// leave counts a record that a step ends, and tells a test sink of it.
func (flow *flowState) leave(record *origin, counter *atomic.Int64) {
	if flow.end(record, counter) != nil || flow.check == nil {
		return // an error has ended the stream
	}
	if err := flow.check.leave(record.position); err != nil {
		flow.fail(fault{Reason: sinkCheckFailed, Message: err.Error()})
	}
}

// turn blocks until every batch before this one is acknowledged, so that the sink has the order of the source.
func (flow *flowState) turn(ctx context.Context, batch uint64) error {
	for {
		flow.mutex.Lock()
		mine, turned := flow.next >= batch, flow.turned
		flow.mutex.Unlock()
		if mine {
			return nil
		}
		select {
		case <-turned:
		case <-flow.ctx.Done():
			return flow.ctx.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// acknowledge ends a batch, whether it reached the sink or all of its records were filtered before.
func (flow *flowState) acknowledge(batch uint64) {
	flow.mutex.Lock()
	defer flow.mutex.Unlock()
	flow.done[batch] = true
	for flow.done[flow.next] {
		delete(flow.done, flow.next)
		flow.next++
	}
	close(flow.turned)
	flow.turned = make(chan struct{})
}

// origin is a record as it was read: it travels in the message's context, where no mapping reaches it.
type origin struct {
	batch    uint64
	position int64
	line     int64
	raw      []byte
	// failed is the step that could not process the record; reason says why. Later steps leave such a record alone.
	failed string
	reason string
	// ended is true once the record is counted as written, dead letter, dropped or filtered.
	ended atomic.Bool
}

func (record *origin) fault(reason string) *fault {
	return &fault{Reason: reason, Message: record.reason, Step: record.failed, Position: record.position, Line: record.line}
}

type originKey struct{}

func originOf(message *service.Message) *origin {
	record, _ := message.Context().Value(originKey{}).(*origin)
	return record
}
