package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/issokit/issokit/store/driver"
)

// recordFile is what a file holds. Bytes that are compact JSON are written as
// such, indented, so that people and version control can read them.
type recordFile struct {
	Key      string          `json:"key"`
	Revision int64           `json:"revision"`
	Attrs    [][2]string     `json:"attrs,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Bytes    *[]byte         `json:"bytes,omitempty"`
}

func encode(r driver.Record) ([]byte, error) {
	f := recordFile{Key: r.Key, Revision: r.Revision}
	if r.Data == nil {
		r.Data = []byte{} // null would be no data
	}
	for _, a := range r.Attrs {
		f.Attrs = append(f.Attrs, [2]string{a.Name, a.Value})
	}
	var compact bytes.Buffer
	if json.Compact(&compact, r.Data) == nil && bytes.Equal(compact.Bytes(), r.Data) {
		f.Data = r.Data
	} else {
		f.Bytes = &r.Data
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	// The encoder may have put other escapes into the strings of the data. Then
	// they go in as bytes.
	if f.Data != nil {
		if back, err := decode(out.Bytes()); err != nil || !bytes.Equal(back.Data, r.Data) {
			f.Data, f.Bytes = nil, &r.Data
			out.Reset()
			if err := enc.Encode(f); err != nil {
				return nil, err
			}
		}
	}
	return out.Bytes(), nil
}

func decode(text []byte) (driver.Record, error) {
	var f recordFile
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			line := 1 + bytes.Count(text[:min(int(s.Offset), len(text))], []byte("\n"))
			return driver.Record{}, fmt.Errorf("line %d: %w", line, err)
		}
		return driver.Record{}, err
	}
	if dec.More() {
		return driver.Record{}, errors.New("there is text behind the record")
	}
	r := driver.Record{Key: f.Key, Revision: f.Revision}
	for _, a := range f.Attrs {
		r.Attrs = append(r.Attrs, driver.Attr{Name: a[0], Value: a[1]})
	}
	switch {
	case f.Key == "" || f.Revision < 1:
		return r, errors.New("expected a key and a revision of at least 1")
	case (f.Data == nil) == (f.Bytes == nil):
		return r, errors.New("expected data or bytes")
	case f.Bytes != nil:
		r.Data = *f.Bytes
	default:
		var compact bytes.Buffer
		if err := json.Compact(&compact, f.Data); err != nil {
			return r, err
		}
		r.Data = compact.Bytes()
	}
	return r, nil
}
