package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// errNothingYet is the end of a followed file so far.
var errNothingYet = errors.New("nothing yet")

// followedFile reads a file that grows. At its end there is nothing yet, until it is drained: then it ends where it
// ended at that moment. A file that does anything but grow is damaged: what it held may never have been read.
type followedFile struct {
	path string

	mutex  sync.Mutex
	file   *os.File
	offset int64
	// end is where reading ends; negative until the file is drained.
	end int64
}

// drain ends the reading at size, or at what has been read already, and says where that is.
func (f *followedFile) drain(size int64) int64 {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.end < 0 {
		f.end = max(size, f.offset)
	}
	return f.end
}

func (f *followedFile) Read(into []byte) (int, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.end >= 0 {
		into = into[:min(int64(len(into)), f.end-f.offset)]
		if len(into) == 0 {
			return 0, io.EOF
		}
	}
	count, err := f.file.Read(into)
	f.offset += int64(count)
	if count > 0 {
		return count, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if err := f.check(); err != nil {
		return 0, err
	}
	return 0, errNothingYet
}

// check says what has become of the file, when it is not merely at its end.
func (f *followedFile) check() error {
	mine, err := f.file.Stat()
	if err != nil {
		return err
	}
	const only = "while it was followed; a followed file only grows"
	if size := mine.Size(); size < max(f.offset, f.end) {
		return fmt.Errorf("it was cut to %d bytes %s", size, only)
	}
	named, err := os.Stat(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("it was removed or renamed %s", only)
	}
	if err != nil {
		return err
	}
	if !os.SameFile(mine, named) {
		return fmt.Errorf("another file took its name %s", only)
	}
	return nil
}
