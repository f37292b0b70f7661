package main

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/warpstreamlabs/bento/public/service"
)

func generatorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Summary("Makes records of a schema up, each fixed by the seed and its number: so many, or until it is drained.").
		Description("docs/test-data.md says how, to the digit.").
		Fields(
			fieldsField("fields"),
			service.NewIntField("seed").Default(0),
			service.NewIntField("count").Description("0: until it is drained.").Default(0),
			service.NewFloatField("rate").Description("Records a second at most; 0: as fast as they are taken.").Default(0.0),
			service.NewFloatField("bad_share").Description("Share of the records that do not fit the schema.").Default(0.0),
		).
		Fields(batchFields()...)
}

// generator makes records up, as lines of JSON.
type generator struct {
	fields   []field
	seed     uint64
	rate     float64
	badShare float64
	began    time.Time

	mutex sync.Mutex
	made  int64
	// end is the number of the last record; 0 while there is none.
	end       int64
	isDrained bool
}

func (flow *flowState) newGenerator(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchInput, error) {
	fields, err1 := parseFields(conf, "fields")
	seed, err2 := conf.FieldInt("seed")
	count, err3 := conf.FieldInt("count")
	rate, err4 := conf.FieldFloat("rate")
	badShare, err5 := conf.FieldFloat("bad_share")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	if len(fields) == 0 || seed < 0 || count < 0 || rate < 0 || badShare < 0 || badShare > 1 {
		return nil, errors.New("there must be fields; seed, count and rate are at least 0, and bad_share is 0 to 1")
	}
	g := &generator{fields: fields, seed: uint64(seed), rate: rate, badShare: badShare, end: int64(count)}
	s, err := flow.newSource(conf, resources, g)
	if err != nil {
		return nil, err
	}
	if count > 0 {
		flow.setSource(nil)
	} else {
		flow.setSource(g)
	}
	return s, nil
}

func (g *generator) name() string { return "the generator" }
func (g *generator) close() error { return nil }

func (g *generator) open() *fault {
	g.began = time.Now()
	return nil
}

// drain ends the making of records where it is; the size that a file would need means nothing here.
func (g *generator) drain(int64) int64 {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if !g.isDrained {
		g.isDrained, g.end = true, g.made
	}
	return g.end
}

func (g *generator) next() ([]byte, int64, error) {
	number, err := g.number()
	if err != nil {
		return nil, 0, err
	}
	return g.record(number), number, nil
}

// number is that of the next record, when it is time for it. What the rate allowed and nobody took is caught up with.
func (g *generator) number() (int64, error) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if (g.end > 0 || g.isDrained) && g.made >= g.end {
		return 0, io.EOF
	}
	if g.rate > 0 && float64(g.made) > time.Since(g.began).Seconds()*g.rate {
		return 0, errNothingYet
	}
	g.made++
	return g.made, nil
}

// spoilt is how a record is bad. Each kind fits no schema that has one of the fields.
type spoilt int

const (
	sound spoilt = iota
	// cut: the text lacks its end.
	cut
	// list: a list with the record's number.
	list
	// wrong: every field is there, with a value that its type does not take.
	wrong
)

// record is the text of the record with this number: a JSON object that fits the schema, unless it is a bad one.
func (g *generator) record(number int64) []byte {
	switch how := g.spoilt(number); how {
	case list:
		return append(appendInt([]byte{'['}, number), ']')
	case wrong:
		return g.wrong()
	default:
		text := drawsOf(g.seed, number).appendObject(make([]byte, 0, 24*len(g.fields)), g.fields)
		if how == cut {
			text = text[:len(text)-1]
		}
		return text
	}
}

// spoilt says whether and how a record is bad.
func (g *generator) spoilt(number int64) spoilt {
	draw := faultDrawsOf(g.seed, number)
	if draw.share() >= g.badShare {
		return sound
	}
	return cut + spoilt(draw.below(3))
}

func (g *generator) wrong() []byte {
	text := []byte{'{'}
	for i := range g.fields {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(appendJSON(text, g.fields[i].Name), ':')
		if g.fields[i].Type == "object" {
			text = append(text, '7')
		} else {
			text = append(text, "{}"...)
		}
	}
	return append(text, '}')
}
