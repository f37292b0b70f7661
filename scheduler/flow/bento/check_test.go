package main

import (
	"math/rand"
	"strings"
	"testing"
)

// events of a sink: a positive number came, a negative one was ended by a step, 0 is the end of a batch.
func checked(events []int64, read int64) string {
	c := newCheck()
	for _, number := range events {
		var err error
		switch {
		case number > 0:
			err = c.arrive(number)
		case number < 0:
			err = c.leave(-number)
		default:
			err = c.behindBatch()
		}
		if err != nil {
			return err.Error()
		}
	}
	if err := c.atEnd(read); err != nil {
		return err.Error()
	}
	return ""
}

func TestWhatASinkKnows(t *testing.T) {
	const none = " did not come, and no step has ended them: "
	for _, test := range []struct {
		name   string
		events []int64
		read   int64
		words  string
	}{
		{"nothing", nil, 0, ""},
		{"in order", []int64{1, 2, 0, 3, 4, 0}, 4, ""},
		{"gaps that a step explains", []int64{-2, -4, 1, 3, 0, -5, -6}, 6, ""},
		{"steps are ahead of the sink", []int64{-1, -9, -10, -7, 2, 3, 0, 4, 5, 6, 8, 0}, 10, ""},
		{"all ended", []int64{-3, -2, -1}, 3, ""},
		{"again", []int64{1, 2, 2}, 2, "duplicate: record 2 came again, behind record 2"},
		{"again, in another batch", []int64{1, 2, 0, 1}, 2, "duplicate: record 1 came again, behind record 2"},
		{"again, behind a gap", []int64{1, 3, 3}, 3, "duplicate: record 3 came again, behind record 3"},
		{"ended, and yet it came", []int64{-3, 1, 3}, 3, "duplicate: record 3 came, though a step had filtered or dropped it"},
		{"two changed places", []int64{1, 3, 2, 0}, 3, "order: record 2 came behind record 3"},
		{"the first one is missing", []int64{2, 0}, 2, "gap: 1 of the first 2 records" + none + "1"},
		{"a batch is missing", []int64{1, 2, 0, 5, 6, 0}, 6, "gap: 2 of the first 6 records" + none + "3 to 4"},
		{"some, beside explained ones", []int64{1, -3, 5, 0}, 5, "gap: 2 of the first 5 records" + none + "2, 4"},
		{"the last ones", []int64{1, 2, 0}, 5, "gap: 3 of the first 5 records" + none + "3 to 5"},
		{"many", []int64{2, 4, 6, 8, 10, 12, 0}, 12, "gap: 6 of the first 12 records" + none + "1, 3, 5, 7, 9, …"},
	} {
		if found := checked(test.events, test.read); found != test.words {
			t.Errorf("%s: %q, not %q", test.name, found, test.words)
		}
	}
}

// TestEveryFaultIsFound breaks good sequences in one place.
func TestEveryFaultIsFound(t *testing.T) {
	chance := rand.New(rand.NewSource(1))
	for range 2000 {
		var events []int64
		read := int64(1 + chance.Intn(40))
		var came []int
		for n := int64(1); n <= read; n++ {
			if chance.Intn(3) == 0 {
				events = append(events, -n)
			} else {
				came = append(came, len(events))
				events = append(events, n)
			}
			if chance.Intn(8) == 0 {
				events = append(events, 0)
			}
		}
		if found := checked(events, read); found != "" {
			t.Fatal(events, found)
		}
		if len(came) < 2 {
			continue
		}
		first := chance.Intn(len(came) - 1)
		i, j := came[first], came[first+1+chance.Intn(len(came)-first-1)]
		kinds := map[string]func([]int64) []int64{
			"gap: ":       func(e []int64) []int64 { return append(e[:i], e[i+1:]...) },
			"duplicate: ": func(e []int64) []int64 { return append(e[:j], append([]int64{e[i]}, e[j:]...)...) },
			"":            func(e []int64) []int64 { e[i], e[j] = e[j], e[i]; return e },
		}
		for kind, broken := range kinds {
			found := checked(broken(append([]int64{}, events...)), read)
			if found == "" || !strings.HasPrefix(found, kind) {
				t.Fatal(kind, events, i, j, found)
			}
		}
	}
}

func TestACheckOfAnEndlessStreamHoldsLittle(t *testing.T) {
	c := newCheck()
	for n := int64(1); n <= 1_000_000; n++ {
		if n%3 == 0 {
			_ = c.leave(n)
		} else if err := c.arrive(n); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.beyond) != 0 || c.known != 1_000_000 {
		t.Fatal(len(c.beyond), c.known)
	}
}

func TestALostBatchBeforeAnEndlessFilterIsFound(t *testing.T) {
	c := newCheck()
	for n := int64(2); ; n++ {
		if err := c.leave(n); err != nil {
			if !strings.HasSuffix(err.Error(), ": 1") || n > mostBeyond+2 {
				t.Fatal(n, err)
			}
			return
		}
	}
}
