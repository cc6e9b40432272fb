package codec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-relay/fanfare/media"
)

// The model of Describe and AppendPatched, slow and obvious: it turns a payload into a string of
// '0' and '1', and reads every field in the order and by the name of the specification. It shares
// nothing with the package.

// fields reads a string of bits and writes down what it reads.
type fields struct {
	bits  string
	at    int               // the next bit
	cut   bool              // a field was not there, or not whole
	value map[string]uint64 // by name, the last of each
	where map[string]int    // where it begins in bits
}

func fieldsOf(bits string) *fields {
	return &fields{bits: bits, value: map[string]uint64{}, where: map[string]int{}}
}

func bitString(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteString(bitsOf(uint32(c), 8))
	}
	return s.String()
}

func (f *fields) rest() string { return f.bits[f.at:] }

// read reads a field of n bits, 0 when it is cut off.
func (f *fields) read(name string, n int) uint64 {
	if f.cut || n > len(f.rest()) {
		f.cut = true
		return 0
	}
	v := uint64(0)
	for _, bit := range f.bits[f.at : f.at+n] {
		v *= 2
		if bit == '1' {
			v++
		}
	}
	f.value[name], f.where[name] = v, f.at
	f.at += n
	return v
}

// flags reads fields of one bit.
func (f *fields) flags(names ...string) {
	for _, name := range names {
		f.read(name, 1)
	}
}

// is tells whether a flag has been read and is 1.
func (f *fields) is(name string) bool { return f.value[name] == 1 }

// ue reads ue(v) of H.264 section 9.1. More than 31 zeros make a number that ue(v) cannot have.
func (f *fields) ue(name string) uint64 {
	zeros := 0
	for f.read(name, 1) == 0 {
		zeros++
		if f.cut || zeros > 31 {
			f.cut = true
			return 0
		}
	}
	power := uint64(1)
	for range zeros {
		power *= 2
	}
	f.value[name] = power - 1 + f.read(name, zeros)
	return f.value[name]
}

// se reads se(v) of H.264 section 9.1.1: 0, 1, -1, 2, -2 and so on.
func (f *fields) se(name string) int64 {
	k := int64(f.ue(name))
	if k%2 == 1 {
		return (k + 1) / 2
	}
	return -k / 2
}

// leb128 reads leb128() of AV1 section 4.10.5.
func (f *fields) leb128(name string) uint64 {
	value, weight := uint64(0), uint64(1)
	for range 8 {
		more := f.read("more", 1)
		value += f.read("leb128_byte", 7) * weight
		weight *= 128
		if more == 0 {
			f.value[name] = value
			return value
		}
	}
	f.cut = true
	return 0
}

// modelDescribe is what Describe is to return.
func modelDescribe(c media.Codec, payload []byte, marker bool) media.Descriptor {
	if len(payload) == 0 {
		return nothing
	}
	switch bits := bitString(payload); c {
	case media.CodecVP8:
		return modelVP8(bits, marker)
	case media.CodecVP9:
		return modelVP9(bits, marker)
	case media.CodecH264:
		return modelH264(bits, marker)
	case media.CodecAV1:
		return modelAV1(bits, marker)
	case media.CodecOpus:
		return described(key, start, end)
	default:
		return nothing
	}
}

// modelPatched is what AppendPatched is to append.
func modelPatched(t testing.TB, c media.Codec, patch media.Patch, payload []byte) []byte {
	f := fieldsOf(bitString(payload))
	switch c {
	case media.CodecVP8:
		f.vp8Descriptor()
	case media.CodecVP9:
		f.vp9Descriptor()
	default:
		return payload
	}
	if f.cut || patch.PictureID == 0 && patch.TL0PicIdx == 0 {
		return payload
	}
	bits := f.bits
	// The last field first, so that the other stays where it is.
	if at, ok := f.where["TL0PICIDX"]; ok {
		tl0 := (f.value["TL0PICIDX"] + uint64(patch.TL0PicIdx)) % 256
		bits = bits[:at] + fmt.Sprintf("%08b", tl0) + bits[at+8:]
	}
	if at, ok := f.where["PictureID"]; ok {
		behind := at + 7
		if f.is("M") {
			behind = at + 15
		}
		id := (f.value["PictureID"] + uint64(patch.PictureID)) % 32768
		bits = bits[:f.where["M"]] + "1" + fmt.Sprintf("%015b", id) + bits[behind:]
	}
	return packed(t, bits)
}

// pictureID reads the picture id as VP8 and VP9 have it.
func (f *fields) pictureID() {
	f.flags("M")
	if f.is("M") {
		f.read("PictureID", 15)
	} else {
		f.read("PictureID", 7)
	}
}

// numbers copies the picture id and TL0PICIDX where they have been read.
func (f *fields) numbers(d *media.Descriptor) {
	if v, ok := f.value["PictureID"]; ok {
		d.PictureID = int32(v)
	}
	if v, ok := f.value["TL0PICIDX"]; ok {
		d.TL0PicIdx = int32(v)
	}
}
