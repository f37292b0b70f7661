package main

import (
	"fmt"
	"strings"
	"sync"
)

// mostBeyond bounds what a check holds when a record never comes: more batches than that are never on their way.
const mostBeyond = 1 << 20

// mostRuns is how many runs of missing records a message lists.
const mostRuns = 5

// check is what a test sink knows: the numbers of the records that come to it, in which order, and which ones a step
// has ended before (filtered or dropped). Nothing of it is the ledger's. Each number from 1 on must come to the sink
// once, as a record or as a dead letter, or have been ended before; and in the order of the source.
type check struct {
	mutex sync.Mutex
	// known: every number up to it has come or was ended.
	known int64
	// beyond holds those behind known that have (true: to the sink).
	beyond map[int64]bool
	// last is the number that came last to the sink.
	last int64
}

func newCheck() *check { return &check{beyond: map[int64]bool{}} }

// leave says that a step has ended a record. It does so before anything behind the record's batch comes to the sink.
func (c *check) leave(number int64) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.account(number, false)
	if len(c.beyond) > mostBeyond {
		return c.missing(number)
	}
	return nil
}

// arrive says that a record has come to the sink.
func (c *check) arrive(number int64) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	came, isBeyond := c.beyond[number]
	switch {
	case isBeyond && !came:
		return fmt.Errorf("duplicate: record %d came, though a step had filtered or dropped it", number)
	case number <= c.known || isBeyond:
		return fmt.Errorf("duplicate: record %d came again, behind record %d", number, c.last)
	case number < c.last:
		return fmt.Errorf("order: record %d came behind record %d", number, c.last)
	}
	c.last = number
	c.account(number, true)
	return nil
}

func (c *check) account(number int64, came bool) {
	if number != c.known+1 {
		c.beyond[number] = came
		return
	}
	c.known = number
	for len(c.beyond) > 0 {
		if _, isThere := c.beyond[c.known+1]; !isThere {
			return
		}
		c.known++
		delete(c.beyond, c.known)
	}
}

// behindBatch says whether a record is missing that should have come before the last one. No batch comes to the sink
// before the earlier ones are over, so behind a batch whatever is missing never comes.
func (c *check) behindBatch() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.missing(c.last)
}

// atEnd says whether a record is missing of all that were read.
func (c *check) atEnd(read int64) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.missing(read)
}

func (c *check) missing(number int64) error {
	var runs []string
	var count, first int64
	for n := c.known + 1; n <= number; n++ {
		if _, isThere := c.beyond[n]; isThere {
			continue
		}
		count++
		if first == 0 {
			first = n
		}
		if _, ends := c.beyond[n+1]; ends || n == number {
			runs = append(runs, spoken(first, n))
			first = 0
		}
	}
	if count == 0 {
		return nil
	}
	if len(runs) > mostRuns {
		runs = append(runs[:mostRuns], "…")
	}
	return fmt.Errorf("gap: %d of the first %d records did not come, and no step has ended them: %s",
		count, number, strings.Join(runs, ", "))
}

func spoken(first, last int64) string {
	if first == last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}
