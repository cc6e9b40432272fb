// Package prefetch asks the processor to fetch memory that will be wanted in a moment, so that it is there by then.
// A pass over many viewers finds the state of each in cold memory; fetched while the one before is
// encrypted, it costs no waiting.
//
// It owns one loop of one instruction, in assembly where there is one. It reads nothing, changes nothing
// and can do no harm: an address that is of no use any more is fetched for nothing. It never decides what is
// worth fetching.
package prefetch

import (
	"reflect"
	"unsafe"
)

// line is the size of a cache line on all processors that are fetched for.
const line = 64

// Range is a run of cache lines, and keeps what lies there alive. The zero value is none.
type Range struct {
	at unsafe.Pointer
	n  uintptr
}

// Of is the memory of a value.
func Of[T any](p *T) Range { return Head(p, unsafe.Sizeof(*p)) }

// Head is the first size bytes of a value.
func Head[T any](p *T, size uintptr) Range {
	size = min(size, unsafe.Sizeof(*p))
	if size == 0 {
		return Range{}
	}
	return Range{at: unsafe.Pointer(p), n: lines(uintptr(unsafe.Pointer(p)), size)}
}

// Slice is the memory of a slice's elements, those that have been added as well as those for which there is room.
func Slice[T any](s []T) Range {
	s = s[:cap(s)]
	if size := uintptr(len(s)) * unsafe.Sizeof(*new(T)); size > 0 {
		return Range{at: unsafe.Pointer(unsafe.SliceData(s)), n: lines(uintptr(unsafe.Pointer(unsafe.SliceData(s))), size)}
	}
	return Range{}
}

// Behind is the memory of the value that an interface holds by pointer; none where it does not.
func Behind(v any) Range {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Type().Elem().Size() == 0 {
		return Range{}
	}
	return Range{at: p.UnsafePointer(), n: lines(p.Pointer(), p.Type().Elem().Size())}
}

// lines is how many are touched by size bytes from at on.
func lines(at, size uintptr) uintptr { return (at%line + size + line - 1) / line }

// Fetch asks for the range and does not wait for it.
func (r Range) Fetch() {
	if r.n > 0 {
		fetch(r.at, r.n)
	}
}
