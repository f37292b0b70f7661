package main

// draws is a sequence of random numbers that a seed and a record's number fix: SplitMix64 (Steele, Lea, Flood 2014), so
// that any record can be made alone, and anywhere else by docs/test-data.md.
type draws struct{ state uint64 }

func mixed(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// drawsOf are those of a record's fields.
func drawsOf(seed uint64, number int64) *draws {
	return &draws{state: mixed(mixed(seed) + uint64(number))}
}

// faultDrawsOf are those that say whether and how a record is spoilt: apart from the others, so that the good records
// are the same whatever the share of bad ones.
func faultDrawsOf(seed uint64, number int64) *draws {
	return &draws{state: mixed(^mixed(seed) + uint64(number))}
}

func (d *draws) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return mixed(d.state)
}

// below gives one of 0 … limit-1.
func (d *draws) below(limit uint64) int64 { return int64(d.next() % limit) }

// share gives a number from 0 up to, and not with, 1.
func (d *draws) share() float64 { return float64(d.next()>>11) / (1 << 53) }
