package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/issokit/issokit/store/driver"
)

// auditCollection holds the audit trail: a record for each entry, its key the
// sequence number, found by the attribute recordAttr of what it is about.
const (
	auditCollection = "~audit"
	recordAttr      = "record"
	// hashDomain keeps these hashes apart from all others.
	hashDomain = "issokit/audit/1\n"
)

func auditKey(seq int64) string { return fmt.Sprintf("%019d", seq) }

// recordName is what recordAttr holds: names have no control characters.
func recordName(collection, key string) string { return collection + "\x1f" + key }

// Action is what was done to a record.
type Action uint8

// The actions.
const (
	ActionPut    Action = iota + 1 // created or replaced
	ActionDelete                   // removed; the history stays
	ActionSeal                     // closed for all changes
	ActionErase                    // content of past revisions removed, or a blob
	ActionRead                     // read, where the collection logs that
	ActionBlob                     // a blob was stored; the key is its digest
)

var actions = [...]string{ActionPut: "put", ActionDelete: "delete", ActionSeal: "seal", ActionErase: "erase", ActionRead: "read", ActionBlob: "blob"}

func (a Action) String() string {
	if a > 0 && int(a) < len(actions) {
		return actions[a]
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// MarshalText returns the name; the zero Action is an error.
func (a Action) MarshalText() ([]byte, error) {
	if a == 0 || int(a) >= len(actions) {
		return nil, invalid("there is no %v", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads the name of an action.
func (a *Action) UnmarshalText(text []byte) error {
	for i, name := range actions {
		if i > 0 && name == string(text) {
			*a = Action(i)
			return nil
		}
	}
	return invalid("unknown action %.40q", text)
}

// Digest is a SHA-256 hash. The zero Digest stands for none.
type Digest [sha256.Size]byte

// DigestOf returns the hash of bytes.
func DigestOf(data []byte) Digest { return sha256.Sum256(data) }

func (d Digest) String() string { return digestPrefix + hex.EncodeToString(d[:]) }

const (
	digestPrefix = "sha256:"
	digestSize   = len(digestPrefix) + 2*sha256.Size // of the text
)

// IsZero tells whether there is no hash.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText returns "sha256:" and 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != digestSize || string(text[:len(digestPrefix)]) != digestPrefix || !unhex(d, text[len(digestPrefix):]) {
		return invalid("expected sha256: and 64 lower-case hexadecimal digits, found %.80q", text)
	}
	return nil
}

// unhex reads lower-case hexadecimal digits, twice as many as d has bytes.
func unhex[Text []byte | string](d *Digest, s Text) bool {
	if len(s) != 2*len(d) {
		return false
	}
	var bad byte
	for i := range d {
		hi, lo := nibbles[s[2*i]], nibbles[s[2*i+1]]
		bad |= hi | lo
		d[i] = hi<<4 | lo&0x0f
	}
	return bad < 0x10
}

// nibbles are the values of the lower-case hexadecimal digits, 0xf0 for all else.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xf0
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = byte(i)
	}
	return t
}()

// An Entry of the audit trail says who changed what, when and why. The trail of
// a tenant is a hash chain: Prev is the hash of the entry before, zeros in the
// first, and a hash is the SHA-256 of "issokit/audit/1\n" and of the entry in
// the canonical JSON of RFC 8785. The content itself is not hashed, only its
// digest, so that it can be erased and the chain stays valid.
//
// Trails that were begun before blobs had entries are verified as they are: a blob
// that no entry speaks of may be there.
type Entry struct {
	Tenant     string
	Seq        int64     // 1, 2, 3 and so on
	Time       time.Time // UTC, microseconds; never before that of the entry before: see [Options].Now
	Actor      string
	Reason     string // may be empty
	Action     Action
	Collection string
	Key        string
	Revision   int64  // of the record after the change; for a delete, the one that was deleted
	Schema     int    // version of the content's form: [CollectionOptions].Version
	Content    Digest // of the content in canonical JSON; zero if there is none
	Prev       Digest
}

// Canonical returns the RFC 8785 form of the entry. Members that are empty,
// reason and schema, are left out.
func (e Entry) Canonical() []byte { return e.append(make([]byte, 0, 512)) }

func (e Entry) append(b []byte) []byte {
	b = append(b, `{"action":"`...)
	b = append(b, e.Action.String()...)
	b = appendString(append(b, `","actor":`...), e.Actor)
	b = appendString(append(b, `,"collection":`...), e.Collection)
	b = appendString(append(b, `,"key":`...), e.Key)
	if e.Content.IsZero() {
		b = append(b, `,"payload":null,"prev":"`...)
	} else {
		b = append(b, `,"payload":"sha256:`...)
		b = append(hex.AppendEncode(b, e.Content[:]), `","prev":"`...)
	}
	b = append(hex.AppendEncode(b, e.Prev[:]), '"')
	if e.Reason != "" {
		b = appendString(append(b, `,"reason":`...), e.Reason)
	}
	b = strconv.AppendInt(append(b, `,"revision":`...), e.Revision, 10)
	if e.Schema != 0 {
		b = strconv.AppendInt(append(b, `,"schema":`...), int64(e.Schema), 10)
	}
	b = strconv.AppendInt(append(b, `,"seq":`...), e.Seq, 10)
	b = appendString(append(b, `,"tenant":`...), e.Tenant)
	b = e.Time.UTC().AppendFormat(append(b, `,"time":"`...), timeForm)
	return append(b, `","v":1}`...)
}

// appendString writes a JSON string with no more escapes than needed, which is
// the form of RFC 8785. The strings of an entry are checked for UTF-8 before.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

func hashEntry(canonical []byte) Digest {
	h := sha256.New()
	h.Write([]byte(hashDomain))
	h.Write(canonical)
	var d Digest
	h.Sum(d[:0])
	return d
}

// Hash returns the hash of the entry.
func (e Entry) Hash() Digest { return hashEntry(e.Canonical()) }

// A line is an entry with its hash and the content, as they are stored with
// every record, in the audit trail and in exports:
//
//	{"entry":{...},"hash":"...","payload":...}
type line struct {
	entry   Entry
	raw     []byte // canonical form of the entry
	hash    Digest
	payload []byte // canonical JSON; nil if there is none or it was erased
}

func newLine(e Entry, payload []byte) line {
	raw := e.Canonical()
	return line{e, raw, hashEntry(raw), payload}
}

func (l line) bytes() []byte {
	b := make([]byte, 0, len(l.raw)+len(l.payload)+110)
	b = append(append(b, `{"entry":`...), l.raw...)
	b = hex.AppendEncode(append(b, `,"hash":"`...), l.hash[:])
	b = append(b, `","payload":`...)
	if l.payload == nil {
		b = append(b, "null"...)
	}
	return append(append(b, l.payload...), '}')
}

// erased tells whether content is missing that the entry has a digest of.
func (l line) erased() bool { return l.payload == nil && !l.entry.Content.IsZero() }

// check compares the stored hash and the content with the entry.
func (l line) check() string {
	if hashEntry(l.raw) != l.hash {
		return "the stored hash is not that of the entry"
	}
	if l.payload != nil && sha256.Sum256(l.payload) != l.entry.Content {
		return "the content does not fit its digest"
	}
	return ""
}

// parseLine reads what bytes writes, and nothing else: a value has one canonical
// form, so a strict reader is a full check, and a fast one.
func parseLine(data []byte) (line, error) {
	var l line
	r := reader{data: data, ok: true}
	r.lit(`{"entry":`)
	start := r.pos
	r.entry(&l.entry)
	if r.ok {
		l.raw = data[start:r.pos]
	}
	r.lit(`,"hash":"`)
	r.hex(&l.hash)
	r.lit(`","payload":`)
	if !r.ok {
		return l, corrupt("audit line: expected %s at byte %d, found %.40q", r.want, r.pos, data[min(r.pos, len(data)):])
	}
	rest := data[r.pos:]
	if len(rest) < 2 || rest[len(rest)-1] != '}' {
		return l, corrupt("audit line: it ends inside of the content")
	}
	if p := rest[:len(rest)-1]; string(p) != "null" || l.entry.Content == nullDigest {
		l.payload = p
	}
	return l, nil
}

// nullDigest is that of the content null, which is a value like any other.
var nullDigest = Digest(sha256.Sum256([]byte("null")))

// A reader reads canonical JSON of a known form.
type reader struct {
	data []byte
	pos  int
	ok   bool
	want string // what was expected where it stopped
}

func (r *reader) fail(want string) {
	if r.ok {
		r.ok, r.want = false, want
	}
}

func (r *reader) has(s string) bool {
	return r.ok && len(r.data)-r.pos >= len(s) && string(r.data[r.pos:r.pos+len(s)]) == s
}

func (r *reader) lit(s string) {
	if !r.has(s) {
		r.fail(s)
		return
	}
	r.pos += len(s)
}

func (r *reader) hex(d *Digest) {
	if !r.ok || len(r.data)-r.pos < 2*len(d) || !unhex(d, r.data[r.pos:r.pos+2*len(d)]) {
		r.fail("64 hexadecimal digits")
		return
	}
	r.pos += 2 * len(d)
}

func (r *reader) int() int64 {
	start := r.pos
	for r.ok && r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	n, err := strconv.ParseInt(string(r.data[start:r.pos]), 10, 54) // exact as a double
	if err != nil || r.pos-start > 1 && r.data[start] == '0' {
		r.pos = start
		r.fail("a number")
	}
	return n
}

func (r *reader) string() string {
	if !r.has(`"`) {
		r.fail("a string")
		return ""
	}
	escaped := false
	for i := r.pos + 1; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			r.fail("a string without control characters")
			return ""
		case c == '"':
			quoted := r.data[r.pos : i+1]
			s := string(quoted[1 : len(quoted)-1])
			if escaped {
				raw, err := jsontext.AppendUnquote(nil, quoted)
				if err != nil || string(appendString(nil, string(raw))) != string(quoted) {
					r.fail("a string in canonical form")
					return ""
				}
				s = string(raw)
			}
			if !utf8.ValidString(s) {
				r.fail("UTF-8")
				return ""
			}
			r.pos = i + 1
			return s
		}
	}
	r.fail("the end of the string")
	return ""
}

func (r *reader) entry(e *Entry) {
	r.lit(`{"action":`)
	if action := r.string(); r.ok && e.Action.UnmarshalText([]byte(action)) != nil {
		r.fail("a known action")
	}
	r.lit(`,"actor":`)
	e.Actor = r.string()
	r.lit(`,"collection":`)
	e.Collection = r.string()
	r.lit(`,"key":`)
	e.Key = r.string()
	r.lit(`,"payload":`)
	if r.has("null") {
		r.lit("null")
	} else {
		r.lit(`"sha256:`)
		r.hex(&e.Content)
		r.lit(`"`)
	}
	r.lit(`,"prev":"`)
	r.hex(&e.Prev)
	r.lit(`"`)
	if r.has(`,"reason":`) {
		r.lit(`,"reason":`)
		if e.Reason = r.string(); e.Reason == "" {
			r.fail("a reason that is not empty")
		}
	}
	r.lit(`,"revision":`)
	e.Revision = r.int()
	if r.has(`,"schema":`) {
		r.lit(`,"schema":`)
		if e.Schema = int(r.int()); e.Schema == 0 {
			r.fail("a schema that is not 0")
		}
	}
	r.lit(`,"seq":`)
	e.Seq = r.int()
	r.lit(`,"tenant":`)
	e.Tenant = r.string()
	r.lit(`,"time":`)
	text := r.string()
	var ok bool
	if e.Time, ok = parseTime(text); r.ok && !ok {
		r.fail("a time in UTC with six decimals")
	}
	r.lit(`,"v":1}`)
}

// parseTime reads timeForm, and nothing that time.Parse would be lenient about.
func parseTime(s string) (time.Time, bool) {
	if len(s) != len(timeForm) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || s[len(s)-1] != 'Z' || s[19] != '.' {
		return time.Time{}, false
	}
	return t.UTC(), true
}

// attrs are those of the entry's record in the trail: what the history of its
// record is found by. Reads are not history.
func (e *Entry) attrs() []driver.Attr {
	if e.Action == ActionRead {
		return nil
	}
	return []driver.Attr{{Name: recordAttr, Value: recordName(e.Collection, e.Key)}}
}

// head is the last entry of a trail; the zero head is that of an empty one.
type head struct {
	seq  int64
	hash Digest
	time time.Time
}

func (tx *Tx) loadHead(ctx context.Context) (head, error) {
	if tx.head != nil {
		return *tx.head, nil
	}
	var h head
	for r, err := range tx.d.Scan(ctx, auditCollection, driver.Query{Desc: true, Limit: 1, NoAttrs: true}) {
		if err != nil {
			return h, err
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return h, err
		}
		h = head{l.entry.Seq, l.hash, l.entry.Time}
	}
	tx.head = &h
	return h, nil
}

// log appends an entry with the scope's actor and reason and returns its line.
// The clock may stand still or go backwards; the times of a trail do not, so
// that "the last version at t" has a meaning.
func (tx *Tx) log(ctx context.Context, s *Scope, e Entry, payload []byte) (line, error) {
	if s.p.Actor == "" {
		return line{}, invalid("a change needs an actor")
	}
	h, err := tx.loadHead(ctx)
	if err != nil {
		return line{}, err
	}
	e.Tenant, e.Actor, e.Reason = tx.scope.p.Tenant, s.p.Actor, s.p.Reason
	e.Seq, e.Prev = h.seq+1, h.hash
	e.Time = s.store.opts.Now().UTC().Truncate(time.Microsecond)
	if e.Time.Before(h.time) {
		e.Time = h.time
	}
	if y := e.Time.Year(); y < 0 || y > 9999 {
		return line{}, invalid("the clock says year %d", y)
	}
	l := newLine(e, payload)
	return l, tx.appendLine(ctx, l)
}

// appendLine stores a line as the new head.
func (tx *Tx) appendLine(ctx context.Context, l line) error {
	r := driver.Record{Key: auditKey(l.entry.Seq), Revision: 1, Attrs: l.entry.attrs(), Data: l.bytes()}
	if err := tx.put(ctx, auditCollection, driver.Record{}, r); err != nil {
		if errors.Is(err, driver.ErrConflict) {
			return corrupt("entry %d of the audit trail exists already: the back end does not run updates one after another", l.entry.Seq)
		}
		return err
	}
	tx.head = &head{l.entry.Seq, l.hash, l.entry.Time}
	return nil
}
