package main

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/warpstreamlabs/bento/public/service"
)

// lineFile is one file of lines, perhaps gzipped; without a path the lines are counted and written nowhere.
type lineFile struct {
	path, format string
	gzipped      bool
	header       []string
	// lines that were written, without the header.
	lines int64

	file   *os.File
	sum    hash.Hash
	buffer *bufio.Writer
	zip    *gzip.Writer
	to     io.Writer
}

// newLineFile takes path and compression where the configuration has them: a test sink has neither.
func newLineFile(conf *service.ParsedConfig) (*lineFile, error) {
	f := &lineFile{}
	var err1, err2, err3 error
	f.format, err1 = conf.FieldString("format")
	if conf.Contains("path") {
		f.path, err2 = conf.FieldString("path")
	}
	if conf.Contains("compression") {
		var compression string
		compression, err3 = conf.FieldString("compression")
		f.gzipped = compression == "gzip"
	}
	return f, errors.Join(err1, err2, err3)
}

func (f *lineFile) isFile() bool { return f.path != "" }

func (f *lineFile) open() error {
	if !f.isFile() {
		return nil
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	f.file = file
	if status, err := file.Stat(); err != nil || status.Size() != 0 {
		return errors.Join(err, fmt.Errorf("%s is not empty", f.path))
	}
	f.sum = sha256.New()
	f.buffer = bufio.NewWriterSize(io.MultiWriter(file, f.sum), 1<<18)
	f.to = f.buffer
	if f.gzipped {
		f.zip = gzip.NewWriter(f.buffer)
		f.to = f.zip
	}
	if f.format == "csv" {
		return f.put(csvHeader(f.header))
	}
	return nil
}

func (f *lineFile) write(line []byte) error {
	f.lines++
	if !f.isFile() {
		return nil
	}
	return f.put(line)
}

func (f *lineFile) put(line []byte) error {
	if _, err := f.to.Write(line); err != nil {
		return err
	}
	_, err := f.to.Write([]byte{'\n'})
	return err
}

func (f *lineFile) flush() error {
	if !f.isFile() {
		return nil
	}
	if f.zip != nil {
		if err := f.zip.Flush(); err != nil {
			return err
		}
	}
	return f.buffer.Flush()
}

func (f *lineFile) close() error {
	var err error
	if f.zip != nil {
		err = f.zip.Close()
	}
	return errors.Join(err, f.buffer.Flush(), f.file.Close())
}
