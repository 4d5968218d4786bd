package store

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A Codec turns values into JSON and back.
type Codec[T any] struct {
	Marshal   func(T) ([]byte, error)
	Unmarshal func([]byte, *T) error
}

// jsonCodec is encoding/json, but members that T does not have are refused: they
// would be lost when the value is written back.
func jsonCodec[T any]() *Codec[T] {
	return &Codec[T]{
		Marshal: func(v T) ([]byte, error) { return json.Marshal(v) },
		Unmarshal: func(data []byte, v *T) error {
			dec := json.NewDecoder(bytes.NewReader(data))
			dec.DisallowUnknownFields()
			if err := dec.Decode(v); err != nil {
				return err
			}
			if _, err := dec.Token(); err != io.EOF {
				return invalid("there is text behind the JSON value")
			}
			return nil
		},
	}
}

// canonical returns JSON in the form of RFC 8785, whose numbers are IEEE 754
// doubles. A number that a double cannot hold would silently become another one:
// it is refused.
func canonical(data []byte) ([]byte, error) {
	v := jsontext.Value(data).Clone()
	if err := v.Canonicalize(); err != nil {
		return nil, invalid("the content is not JSON: %w", err)
	}
	if longNumber(data) {
		if err := checkNumbers(data); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// longNumber tells whether there may be a number with more than 15 digits, or
// with an exponent.
func longNumber(data []byte) bool {
	run := 0
	for i, c := range data {
		switch {
		case c >= '0' && c <= '9':
			if run++; run > 15 {
				return true
			}
		case (c == 'e' || c == 'E') && run > 0 && i+1 < len(data):
			return true
		case c == '.' && run > 0:
		default:
			run = 0
		}
	}
	return false
}

func checkNumbers(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		tok, err := dec.ReadToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if tok.Kind() == '0' && !exact(tok.String()) {
			return invalid("the number %.40s at %s is not exact as an IEEE 754 double (RFC 8785, section 3.2.2.3): store it as a string", tok.String(), dec.StackPointer())
		}
	}
}

// exact tells whether the shortest decimal of the nearest double is the number.
func exact(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || len(s) > 400 {
		return false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	if f == 0 || math.IsInf(f, 0) {
		return f == 0 && strings.Trim(mantissa, "-0.") == ""
	}
	want, ok := new(big.Rat).SetString(s)
	got, ok2 := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && ok2 && want.Cmp(got) == 0
}
