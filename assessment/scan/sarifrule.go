package scan

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/issokit/issokit/assessment"
)

// A rule is a reporting descriptor (section 3.49): what its results inherit.
type rule struct {
	rule     assessment.Rule
	guid     string
	level    string // of the default configuration
	messages map[string]string
	about
}

// about is what a rule or a result says about its weakness in passing.
type about struct {
	scores   []assessment.Score
	ids      []string
	controls []string
}

// A reference points to a rule or a taxon (3.52).
type reference struct {
	id, guid  string
	index     int
	component struct {
		name, guid string
		index      int
	}
}

var noReference = func() (ref reference) {
	ref.index, ref.component.index = -1, -1
	return ref
}()

func (r *reader) reference(ref *reference) error {
	return r.object(func(name []byte) error {
		switch string(name) {
		case "id":
			return r.text(&ref.id)
		case "guid":
			return r.text(&ref.guid)
		case "index":
			return r.integer(&ref.index)
		case "toolComponent":
			return r.object(func(name []byte) error {
				switch string(name) {
				case "name":
					return r.text(&ref.component.name)
				case "guid":
					return r.text(&ref.component.guid)
				case "index":
					return r.integer(&ref.component.index)
				}
				return r.SkipValue()
			})
		}
		return r.SkipValue()
	})
}

func (r *reader) rule() (rule, error) {
	var u rule
	var name, short, full string
	var tags []string
	var relations []reference
	err := r.object(func(key []byte) error {
		switch string(key) {
		case "id":
			return r.name("an id", &u.rule.ID)
		case "guid":
			return r.text(&u.guid)
		case "name":
			return r.text(&name)
		case "shortDescription":
			return r.message(&short)
		case "fullDescription":
			return r.message(&full)
		case "helpUri":
			return r.text(&u.rule.Help)
		case "messageStrings":
			return r.messages(&u.messages)
		case "defaultConfiguration":
			return r.object(func(key []byte) error {
				if string(key) == "level" {
					return r.text(&u.level)
				}
				return r.SkipValue()
			})
		case "relationships":
			return r.array(func() error {
				ref := noReference
				err := r.object(func(key []byte) error {
					if string(key) == "target" {
						return r.reference(&ref)
					}
					return r.SkipValue()
				})
				relations = append(relations, ref)
				return err
			})
		case "properties":
			return r.properties(&u.about, &tags)
		}
		return r.SkipValue()
	})
	for _, s := range []string{short, name, u.rule.ID} {
		if u.rule.Title == "" {
			u.rule.Title = s
		}
	}
	u.rule.Description = full
	u.rule.Tags = tags
	u.addIDs(u.rule.ID)
	u.addIDs(name)
	u.addTags(tags)
	for _, ref := range relations {
		u.addTaxon(ref.id, ref.component.name)
	}
	return u, err
}

// message reads the text of a message (3.11) or of a multiformatMessageString.
func (r *reader) message(to *string) error {
	return r.object(func(name []byte) error {
		if string(name) == "text" {
			return r.text(to)
		}
		return r.SkipValue()
	})
}

func (r *reader) messages(to *map[string]string) error {
	return r.object(func(name []byte) error {
		var text string
		id := string(name)
		err := r.message(&text)
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[id] = text
		return err
	})
}

// properties reads of a property bag what tools agree on: tags (3.8.2), the
// security-severity of GitHub, CWE names, CVSS vectors.
func (r *reader) properties(a *about, tags *[]string) error {
	return r.object(func(name []byte) error {
		switch string(name) {
		case "tags":
			return r.texts(tags)
		case "cwe", "cwes":
			var cwes []string
			err := r.texts(&cwes)
			for _, s := range cwes {
				if s != "" && s[0] >= '0' && s[0] <= '9' {
					s = "CWE-" + s
				}
				a.addIDs(s)
			}
			return err
		case securitySeverity:
			if k := r.PeekKind(); k != jsontext.KindNumber && k != jsontext.KindString {
				break
			}
			t, err := r.ReadToken()
			if err == nil && t.String() != "" {
				a.scores = append(a.scores, assessment.Score{System: securitySeverity, Value: t.String()})
			}
			return err
		default:
			if r.PeekKind() != jsontext.KindString {
				break
			}
			t, err := r.ReadValue()
			if err == nil && len(t) > 7 && string(t[1:6]) == "CVSS:" {
				vector := string(t[1 : len(t)-1])
				system, _, _ := strings.Cut(vector, "/")
				a.scores = append(a.scores, assessment.Score{System: system, Value: vector})
			}
			return err
		}
		return r.SkipValue()
	})
}

const securitySeverity = "security-severity"

// addIDs adds the public identifiers that a text consists of or contains.
func (a *about) addIDs(text string) {
	for i := 0; i+4 < len(text); i++ {
		if i > 0 && isWord(text[i-1]) {
			continue
		}
		id := publicID(text[i:])
		if id == "" {
			continue
		}
		i += len(id) - 1
		a.addID(normalID(id))
	}
}

func (a *about) addID(id string) {
	for _, have := range a.ids {
		if have == id {
			return
		}
	}
	a.ids = append(a.ids, id)
}

// addTags adds what tags say: "external/cwe/cwe-079", "CWE-79: ...",
// "control:ac-2".
func (a *about) addTags(tags []string) {
	for _, t := range tags {
		if prefix, id, ok := strings.Cut(t, ":"); ok && strings.EqualFold(prefix, "control") {
			a.addControl(strings.TrimSpace(id))
			continue
		}
		a.addIDs(t)
	}
}

// addTaxon adds a member of a taxonomy.
func (a *about) addTaxon(id, taxonomy string) {
	switch {
	case strings.Contains(taxonomy, "800-53"):
		a.addControl(id)
	case strings.EqualFold(taxonomy, "CWE") && id != "" && id[0] >= '0' && id[0] <= '9':
		a.addIDs("CWE-" + id)
	default:
		a.addIDs(id)
	}
}

func (a *about) addControl(id string) {
	for _, have := range a.controls {
		if have == id {
			return
		}
	}
	if id != "" {
		a.controls = append(a.controls, id)
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// publicID returns the CVE, GHSA, CWE or CCI identifier that text begins with.
func publicID(text string) string {
	digits := func(i int) int {
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			i++
		}
		return i
	}
	prefix := func(p string) bool { return len(text) > len(p) && strings.EqualFold(text[:len(p)], p) }
	end := 0
	switch {
	case prefix("CWE-"), prefix("CCI-"):
		if end = digits(4); end == 4 {
			return ""
		}
	case prefix("CVE-"):
		year := digits(4)
		if year != 8 || year >= len(text) || text[year] != '-' {
			return ""
		}
		if end = digits(9); end < 13 {
			return ""
		}
	case prefix("GHSA-"):
		for end = 4; end+5 <= len(text) && end < 19 && text[end] == '-'; end += 5 {
			for _, c := range []byte(text[end+1 : end+5]) {
				if !isWord(c) {
					return ""
				}
			}
		}
		if end != 19 {
			return ""
		}
	default:
		return ""
	}
	if end < len(text) && isWord(text[end]) {
		return ""
	}
	return text[:end]
}

// normalID spells an identifier as its authority does: upper case, GHSA in
// lower case behind its prefix, CWE without leading zeros.
func normalID(id string) string {
	if strings.EqualFold(id[:4], "GHSA") {
		return "GHSA" + strings.ToLower(id[4:])
	}
	id = strings.ToUpper(id)
	if n, ok := strings.CutPrefix(id, "CWE-"); ok {
		for len(n) > 1 && n[0] == '0' {
			n = n[1:]
		}
		return "CWE-" + n
	}
	return id
}
