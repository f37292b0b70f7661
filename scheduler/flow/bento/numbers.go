package main

import (
	"bytes"
	"math"
	"strconv"
)

func appendInt(text []byte, value int64) []byte { return strconv.AppendInt(text, value, 10) }

// appendFloat writes the shortest digits that read back as the same double, in the notation that JSON allows.
func appendFloat(text []byte, value float64) []byte {
	size := math.Abs(value)
	if size != 0 && (size < 1e-6 || size >= 1e21) {
		return strconv.AppendFloat(text, value, 'e', -1, 64)
	}
	start := len(text)
	text = strconv.AppendFloat(text, value, 'f', -1, 64)
	if bytes.IndexByte(text[start:], '.') < 0 {
		// a double stays one for readers that tell 1 from 1.0
		text = append(text, ".0"...)
	}
	return text
}

// isPlain says that a string needs no escape in JSON.
func isPlain(value string) bool {
	for i := range len(value) {
		if char := value[i]; char < 0x20 || char > 0x7e || char == '"' || char == '\\' {
			return false
		}
	}
	return true
}
