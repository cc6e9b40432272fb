package pake

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

//go:embed words.txt
var wordsFile string

// words is the list of codes: 1,024 in the order of the alphabet, no two with the same first four
// letters, no two that one wrong letter turns into each other.
var words = strings.Fields(wordsFile)

// positions tells where a word is in the list.
var positions = func() map[string]uint16 {
	out := make(map[string]uint16, len(words))
	for i, word := range words {
		out[word] = uint16(i)
	}
	return out
}()

// wordBits is how much one word says: the list has 2¹⁰.
const wordBits = 10

// Word is the word for a number of ten bits; only those count.
func Word(n uint16) string { return words[n&(1<<wordBits-1)] }

// CheckWords are what people compare: the numbers of seal.Pair's Check (docs/MESH.md, section 2), as words
// of the list.
func CheckWords(n [4]uint16) string {
	return Word(n[0]) + " " + Word(n[1]) + " " + Word(n[2]) + " " + Word(n[3])
}

// ErrCode: a text that is no code. UnknownWordError is one kind of it.
var ErrCode = errors.New("a code is a number and three words, like 7-acorn-piano-zebra")

// ErrRandom: the random source failed.
var ErrRandom = errors.New("no random bytes")

// UnknownWordError names a word that no code has.
type UnknownWordError struct {
	Word    string // as typed, in lower case
	Nearest string // the word of the list that is nearest, "" when none is near
}

func (e *UnknownWordError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("%q is not a word of codes", e.Word)
	}
	return fmt.Sprintf("%q is not a word of codes; perhaps it is %q", e.Word, e.Nearest)
}

// Is makes errors.Is(err, ErrCode) true.
func (e *UnknownWordError) Is(target error) bool { return target == ErrCode }

// Code is a short code: the number by which the server finds the room, and three words, which the
// server must not learn.
type Code struct {
	number uint32
	words  [3]uint16
}

// NewCode makes a code with words from random.
func NewCode(number uint32, random io.Reader) (Code, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return Code{}, fmt.Errorf("%w: %w", ErrRandom, err)
	}
	c, bits := Code{number: number}, binary.BigEndian.Uint32(b[:])
	for i := range c.words {
		c.words[i] = uint16(bits >> (32 - wordBits*(i+1)) & (1<<wordBits - 1))
	}
	return c, nil
}

// Number is what the server is asked for.
func (c Code) Number() uint32 { return c.number }

// String is the code as people say it: number-word-word-word.
func (c Code) String() string { return c.salt() + "-" + c.password() }

func (c Code) salt() string { return strconv.FormatUint(uint64(c.number), 10) }

func (c Code) password() string {
	return Word(c.words[0]) + "-" + Word(c.words[1]) + "-" + Word(c.words[2])
}

// maxCodeText is far more than a code has.
const maxCodeText = 100

// ParseCode reads a code as people type it: in any case, with spaces, dashes of any kind, dots or
// commas between its parts. It fails with ErrCode, and with UnknownWordError for a wrong word.
func ParseCode(text string) (Code, error) {
	if len(text) > maxCodeText {
		return Code{}, ErrCode
	}
	parts := strings.FieldsFunc(strings.ToLower(text), between)
	if len(parts) != 4 {
		return Code{}, ErrCode
	}
	number, err := strconv.ParseUint(parts[0], 10, 32)
	if err != nil {
		return Code{}, ErrCode
	}
	c := Code{number: uint32(number)}
	for i, word := range parts[1:] {
		at, known := positions[word]
		if !known {
			return Code{}, &UnknownWordError{Word: word, Nearest: nearest(word)}
		}
		c.words[i] = at
	}
	return c, nil
}

func between(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '−' || r == '_' || r == '.' || r == ','
}

// maxSlips is how many wrong letters still suggest a word.
const maxSlips = 3

// nearest is the first of the words with the fewest wrong letters.
func nearest(typed string) string {
	best, fewest := "", maxSlips+1
	for _, word := range words {
		if n := slips(typed, word); n < fewest {
			best, fewest = word, n
		}
	}
	return best
}

// slips counts the letters to put in, to leave out or to change (Levenshtein's distance), in bytes.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
