package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/warpstreamlabs/bento/public/service"
)

func fileSourceSpec() *service.ConfigSpec {
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
			service.NewBoolField("follow").Description("Whether the file grows.").Default(false),
		).
		Fields(batchFields()...)
}

// fileFeed gives the records of a file.
type fileFeed struct {
	flow     *flowState
	path     string
	format   string
	gzipped  bool
	required []string

	// followed is nil for a file that is read once.
	followed  *followedFile
	file      *os.File
	records   recordReader
	hasHeader bool
}

func (flow *flowState) newFileSource(
	conf *service.ParsedConfig, resources *service.Resources,
) (service.BatchInput, error) {
	path, err1 := conf.FieldString("path")
	format, err2 := conf.FieldString("format")
	compression, err3 := conf.FieldString("compression")
	required, err4 := conf.FieldStringList("required")
	follow, err5 := conf.FieldBool("follow")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	f := &fileFeed{flow: flow, path: path, format: format, gzipped: compression == "gzip", required: required}
	if follow && f.gzipped {
		return nil, errors.New("a gzip file cannot be followed")
	}
	s, err := flow.newSource(conf, resources, f)
	if err != nil {
		return nil, err
	}
	if !follow {
		flow.setSource(nil)
		return s, nil
	}
	f.followed = &followedFile{path: path, end: -1}
	flow.setSource(f.followed)
	return s, nil
}

func (f *fileFeed) name() string { return f.path }

func (f *fileFeed) open() *fault {
	file, err := os.Open(f.path)
	if err != nil {
		return &fault{Reason: sourceMissing, Message: err.Error()}
	}
	f.file = file
	if err := f.start(); err != nil {
		return &fault{Reason: sourceDamaged, Message: fmt.Sprintf("%s: %v", f.path, err)}
	}
	return nil
}

func (f *fileFeed) start() error {
	var stream io.Reader = f.file
	if f.followed != nil {
		f.followed.file = f.file
		stream = f.followed
	}
	if f.gzipped {
		unzipped, err := gzip.NewReader(f.file)
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty, not a gzip file")
		}
		if err != nil {
			return err
		}
		stream = unzipped
	}
	lines := newLineReader(stream)
	lines.followed = f.followed != nil
	f.records = lines
	if f.format == "csv" {
		f.records = &csvReader{lines: lines}
	}
	return nil
}

// next gives the next record; the first one of a CSV file is its header.
func (f *fileFeed) next() ([]byte, int64, error) {
	if f.format == "csv" && !f.hasHeader {
		raw, _, err := f.records.next()
		if err != nil {
			return nil, 0, err
		}
		if err := f.takeHeader(raw); err != nil {
			return nil, 0, err
		}
		f.hasHeader = true
	}
	return f.records.next()
}

func (f *fileFeed) takeHeader(raw []byte) error {
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
	for _, column := range f.required {
		if !seen[column] {
			return fmt.Errorf("header: there is no column '%s' (it has %s)", column, strings.Join(header, ", "))
		}
	}
	f.flow.header = header
	return nil
}

func (f *fileFeed) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
