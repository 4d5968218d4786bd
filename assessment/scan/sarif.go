package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/issokit/issokit/assessment"
)

// SARIF reads the Static Analysis Results Interchange Format, OASIS Standard
// version 2.1.0 (with Errata 01). One record is one result object. At the end
// comes a record with Run set for each run that failed (an invocation with
// executionSuccessful false, 3.20.14), and for each that has an empty array of
// results: it looked and found nothing (3.14.23).
//
// Texts are plain: the links in messages become their text (3.11.6), with the
// address behind it if that is a URI. Markdown forms of messages are not read.
//
// What a result does not say is taken from its rule, found by index, id or GUID
// in the driver or in an extension, also by the leading part of a hierarchical
// id (section 3.27.5). The kind defaults to fail, the level to that of the
// configuration of the rule, else to warning (3.27.9, 3.27.10). The severity is
// that of the property security-severity, if the rule or the result has it,
// else error is [assessment.High], warning medium, note low, none
// informational. A result is suppressed if it has suppressions and none of them
// is under review or rejected. Fingerprints come before partial fingerprints.
// Tags such as "control:ac-2" and taxonomies whose name has "800-53" in it are
// references to controls.
//
// A rule table that stands behind the results is read first: by a second pass
// if the reader is an [io.Seeker], else by means of [Options.Spool].
var SARIF = &Importer{name: "sarif", detect: detectSARIF, records: readSARIF}

// detectSARIF looks at the members of the root, as far as head shows them.
func detectSARIF(head []byte) int {
	head = bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF"))
	dec := jsontext.NewDecoder(bytes.NewReader(head), jsontext.AllowInvalidUTF8(true))
	if t, err := dec.ReadToken(); err != nil || t.Kind() != jsontext.KindBeginObject {
		return 0
	}
	var schema, version, runs bool
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != jsontext.KindString {
			break
		}
		key := name.String()
		runs = runs || key == "runs"
		if dec.PeekKind() == jsontext.KindString {
			value, err := dec.ReadToken()
			if err != nil {
				break
			}
			schema = schema || key == "$schema" && strings.Contains(strings.ToLower(value.String()), "sarif")
			version = version || key == "version" && strings.HasPrefix(value.String(), "2.")
		} else if dec.SkipValue() != nil {
			break
		}
	}
	switch {
	case schema:
		return 3
	case version && runs:
		return 2
	case runs && (bytes.Contains(head, []byte(`"driver"`)) || bytes.Contains(head, []byte(`"results"`))):
		return 1
	}
	return 0
}

// errStop ends reading because the caller wants no more.
var errStop = errors.New("stop")

func readSARIF(ctx context.Context, in io.Reader, o Options, yield func(assessment.Record, error) bool) {
	s := &sarif{keeper: newKeeper(in, &o), opts: &o, yield: yield, runs: map[string]*run{}, orphans: map[string]bool{}}
	r := newReader(ctx, in, &o, "sarif")
	err := s.log(r)
	if err == nil {
		err = s.tellRuns()
	}
	if err == nil {
		err = s.missing
	}
	if errors.Is(err, errStop) {
		return
	}
	o.Progress(r.offset())
	if err != nil {
		yield(assessment.Record{}, r.fail(err))
	}
}

// sarif is the state of reading one log file.
type sarif struct {
	*keeper
	opts    *Options
	yield   func(assessment.Record, error) bool
	records int
	runs    map[string]*run // those with a GUID
	ran     []*execution
	orphans map[string]bool // GUIDs of runs whose results came before them
	missing error           // the first part of the report that could not be had
}

// log reads the root object (section 3.13).
func (s *sarif) log(r *reader) error {
	if k := r.PeekKind(); k != jsontext.KindBeginObject && k != jsontext.KindInvalid {
		return fmt.Errorf("%w: expected an object at the root, found %s", ErrContent, kindName(k))
	}
	var version string
	var runs bool
	checked := func() error {
		if version != "" && !strings.HasPrefix(version, "2.1.") {
			return fmt.Errorf("%w: expected SARIF 2.1.0, found %q", ErrVersion, version)
		}
		return nil
	}
	err := r.object(func(name []byte) error {
		switch string(name) {
		case "version":
			if err := r.text(&version); err != nil {
				return err
			}
			return checked()
		case "runs":
			runs = true
			return r.array(func() error {
				u := &run{execution: &execution{}}
				s.ran = append(s.ran, u.execution)
				u.span.Start = r.offset() + r.ahead()
				err := s.run(r, u)
				u.span.End, u.execution.tool, u.execution.time = r.offset(), u.tool, u.time
				return err
			})
		case "inlineExternalProperties":
			return r.array(func() error { return s.run(r, &run{external: true, execution: &execution{}}) })
		}
		return r.SkipValue()
	})
	if err != nil {
		return err
	}
	if _, err := r.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("%w: expected the end of the report behind its root object", ErrSyntax)
		}
		return err
	}
	if version == "" {
		r.warn(`the log has no member "version"`)
	}
	if !runs {
		return fmt.Errorf(`%w: the log lacks the required member "runs"`, ErrContent)
	}
	return nil
}

// A run is what of a run object (3.14), or of an external property file (3.15),
// is needed to read its results.
type run struct {
	external   bool
	guid       string
	tool       assessment.Tool
	driver     component
	extensions []component
	hasTool    bool
	artifacts  []string // URIs
	taxonomies []component
	overrides  []override
	time       time.Time
	results    *part // read when the tool is known
	outside    []externalFile
	*execution
}

// An execution is what a run says about itself, together with the files that
// hold parts of it.
type execution struct {
	tool    assessment.Tool
	time    time.Time
	guid    string
	span    assessment.Span
	looked  bool // it has an array of results
	results int
	failed  *failure
}

// A failure is an invocation that was not successful.
type failure struct {
	at  *Error
	why []string
}

// tellRuns yields the records about runs as a whole.
func (s *sarif) tellRuns() error {
	for _, e := range s.ran {
		rec := assessment.Record{Run: true, Tool: e.tool, Time: e.time, Span: e.span}
		switch {
		case e.failed != nil:
			rec.Outcome, rec.RawOutcome = assessment.OutcomeError, "executionSuccessful=false"
			rec.Message = "The tool says that its run failed."
			if e.failed.why != nil {
				rec.Message = "The tool says that its run failed: " + strings.Join(e.failed.why, "; ")
			}
		case e.looked && e.results == 0 && !s.orphans[e.guid]:
			rec.Outcome, rec.Message = assessment.OutcomeInformational, "The tool ran and reported nothing."
		default:
			continue
		}
		if !s.yield(rec, nil) {
			return errStop
		}
	}
	return nil
}

// An externalFile holds results of a run (3.15.2).
type externalFile struct {
	uri string
	at  *Error // its place
}

// A component is a tool component: the driver, an extension or a taxonomy (3.19).
type component struct {
	name, guid string
	rules      []rule
	byID       map[string]int
	messages   map[string]string
}

// An override is a configuration that an invocation gave a rule (3.20.5).
type override struct {
	ref   reference
	level string
}

func (s *sarif) run(r *reader, u *run) error {
	err := r.object(func(name []byte) error { return s.runMember(r, u, string(name)) })
	if u.results != nil {
		// Also when the report broke off: the results that were there are
		// delivered, and the second pass meets the same error.
		if later := s.later(r, u); later != nil {
			return later
		}
	}
	for _, f := range u.outside {
		if err != nil {
			break
		}
		inner := *u
		inner.outside, inner.external = nil, true
		u.looked = true
		err = s.openExternal(r, &inner, "results", f)
	}
	return err
}

func (s *sarif) runMember(r *reader, u *run, name string) error {
	switch name {
	case "guid", "runGuid":
		if (name == "runGuid") != u.external {
			break
		}
		return s.identify(r, u)
	case "automationDetails":
		return r.object(func(name []byte) error {
			if string(name) == "guid" && !u.external {
				return s.identify(r, u)
			}
			return r.SkipValue()
		})
	case "tool":
		u.hasTool = true
		return r.object(func(name []byte) error {
			switch string(name) {
			case "driver", "extensions":
				return s.runMember(r, u, string(name))
			}
			return r.SkipValue()
		})
	case "driver":
		u.hasTool = true
		at := r.here()
		err := s.component(r, &u.driver, &u.tool)
		if err == nil && strings.TrimSpace(u.tool.Name) == "" {
			r.warnAt(at, `the tool has no name (required member "name")`)
		}
		return err
	case "extensions":
		return r.array(func() error {
			u.extensions = append(u.extensions, component{})
			return s.component(r, &u.extensions[len(u.extensions)-1], nil)
		})
	case "taxonomies":
		return r.array(func() error {
			u.taxonomies = append(u.taxonomies, component{})
			return s.component(r, &u.taxonomies[len(u.taxonomies)-1], nil)
		})
	case "invocations":
		return r.array(func() error { return s.invocation(r, u) })
	case "artifacts":
		return r.array(func() error {
			var uri string
			err := r.object(func(name []byte) error {
				if string(name) == "location" {
					var l location
					err := s.artifactLocation(r, &l)
					uri = l.URI
					return err
				}
				return r.SkipValue()
			})
			u.artifacts = append(u.artifacts, uri)
			return err
		})
	case "results":
		u.looked = u.looked || r.PeekKind() == jsontext.KindBeginArray
		if u.hasTool {
			return r.array(func() error { return s.result(r, u) })
		}
		p, err := s.keep(r)
		u.results = p
		return err
	case "externalPropertyFileReferences":
		return s.external(r, u)
	}
	return r.SkipValue()
}

// identify ties a run to the external properties that name its GUID.
func (s *sarif) identify(r *reader, u *run) error {
	if err := r.text(&u.guid); err != nil || u.guid == "" {
		return err
	}
	guid := strings.ToLower(u.guid)
	if !u.external {
		s.runs[guid] = u
		u.execution.guid = guid
	} else if of := s.runs[guid]; of == nil {
		s.orphans[guid] = true
	} else if !u.hasTool {
		u.execution = of.execution
		u.tool, u.driver, u.extensions, u.hasTool = of.tool, of.driver, of.extensions, of.hasTool
		u.artifacts, u.taxonomies, u.overrides, u.time = of.artifacts, of.taxonomies, of.overrides, of.time
	}
	return nil
}

// later reads the results that stood before their rules.
func (s *sarif) later(r *reader, u *run) error {
	if u.external && !u.hasTool {
		r.warn("the rules of these external properties are not known: they name no run that was read before")
	}
	sub, err := u.results.open(r)
	if err != nil {
		return err
	}
	if err := sub.array(func() error { return s.result(sub, u) }); err != nil {
		if errors.Is(err, errStop) {
			return err
		}
		return sub.fail(err)
	}
	done := u.results.done
	u.results = nil
	return done()
}

// external reads the files that hold parts of a run (3.15.2): rules and what else
// is needed to read the results at once, results behind those of the run itself.
func (s *sarif) external(r *reader, u *run) error {
	return r.object(func(name []byte) error {
		kind := string(name)
		one := func() error {
			var l location
			err := r.object(func(name []byte) error {
				if string(name) == "location" {
					return s.artifactLocation(r, &l)
				}
				return r.SkipValue()
			})
			if err != nil || l.URI == "" {
				return err
			}
			f := externalFile{l.URI, r.error(r.InputOffset(), string(r.StackPointer()), nil)}
			if kind == "results" {
				u.outside = append(u.outside, f)
				return nil
			}
			inner := *u
			inner.outside, inner.external, inner.results = nil, true, nil
			if err := s.openExternal(r, &inner, kind, f); err != nil {
				return err
			}
			u.tool, u.driver, u.extensions, u.hasTool = inner.tool, inner.driver, inner.extensions, inner.hasTool
			u.artifacts, u.taxonomies, u.overrides, u.time = inner.artifacts, inner.taxonomies, inner.overrides, inner.time
			return nil
		}
		if r.PeekKind() == jsontext.KindBeginObject {
			return one()
		}
		return r.array(one)
	})
}

// openExternal reads one file, or notes that it is missing.
func (s *sarif) openExternal(r *reader, u *run, kind string, f externalFile) error {
	var file io.ReadCloser
	err := errors.New("it is another file, and only the report itself is read; have the tool write one file, or give both")
	if s.opts.Open != nil {
		file, err = s.opts.Open(f.uri)
	}
	if err != nil {
		f.at.Err = fmt.Errorf("%w: %q with the %s of the run: %w", ErrExternal, f.uri, kind, err)
		if kind != "results" {
			s.opts.Warn(f.at)
		} else if s.missing == nil {
			s.missing = f.at
		}
		return nil
	}
	defer file.Close()
	o := *s.opts
	o.Name = f.uri
	sub := newReader(r.ctx, file, &o, r.format)
	outer := s.keeper
	s.keeper = newKeeper(file, &o)
	defer func() { s.keeper = outer }()
	if err = s.run(sub, u); err == nil || errors.Is(err, errStop) {
		return err
	}
	return sub.fail(err)
}

// component reads a tool component; tool takes its name and version.
func (s *sarif) component(r *reader, c *component, tool *assessment.Tool) error {
	var version, semantic string
	err := r.object(func(name []byte) error {
		switch string(name) {
		case "name":
			return r.name("a name", &c.name)
		case "guid":
			return r.text(&c.guid)
		case "version":
			return r.text(&version)
		case "semanticVersion":
			return r.text(&semantic)
		case "globalMessageStrings":
			return r.messages(&c.messages)
		case "rules", "taxa":
			return r.array(func() error {
				u, err := r.rule()
				if _, ok := c.byID[u.rule.ID]; !ok && u.rule.ID != "" {
					if c.byID == nil {
						c.byID = map[string]int{}
					}
					c.byID[u.rule.ID] = len(c.rules)
				}
				c.rules = append(c.rules, u)
				return err
			})
		}
		return r.SkipValue()
	})
	if tool != nil {
		*tool = assessment.Tool{Name: c.name, Version: version}
		if version == "" {
			tool.Version = semantic
		}
	}
	return err
}

// invocation reads when the tool ran and how its rules were configured (3.20).
func (s *sarif) invocation(r *reader, u *run) error {
	late := u.execution.results > 0
	var f failure
	note := func(prefix string) error {
		var text string
		err := r.text(&text)
		if text != "" {
			f.why = append(f.why, prefix+text)
		}
		return err
	}
	err := r.object(func(name []byte) error {
		switch string(name) {
		case "executionSuccessful":
			k := r.PeekKind()
			if k != jsontext.KindFalse && k != jsontext.KindTrue {
				r.warnAt(r.here(), "expected true or false, found %s", kindName(k))
			}
			if k == jsontext.KindFalse {
				f.at = r.here()
			}
			return r.SkipValue()
		case "exitCodeDescription", "processStartFailureMessage":
			return note("")
		case "exitSignalName":
			return note("signal ")
		case "exitCode":
			code := 0
			err := r.integer(&code)
			if code != 0 {
				f.why = append(f.why, "exit code "+strconv.Itoa(code))
			}
			return err
		case "startTimeUtc", "endTimeUtc":
			var text string
			if err := r.text(&text); err != nil || text == "" {
				return err
			}
			t, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				r.warn("expected a date and time with zone, found %q", text)
				return nil
			}
			if t = t.UTC(); u.time.Before(t) {
				u.time = t
			}
			return nil
		case "ruleConfigurationOverrides":
			return r.array(func() error {
				o := override{ref: noReference}
				err := r.object(func(name []byte) error {
					switch string(name) {
					case "descriptor":
						return r.reference(&o.ref)
					case "configuration":
						return r.object(func(name []byte) error {
							if string(name) == "level" {
								return r.text(&o.level)
							}
							return r.SkipValue()
						})
					}
					return r.SkipValue()
				})
				if o.level != "" {
					u.overrides = append(u.overrides, o)
					if late {
						r.warn("a configuration of a rule stands behind the results: those before it have the default level")
					}
				}
				return err
			})
		}
		return r.SkipValue()
	})
	if err == nil && f.at != nil {
		why := ""
		if f.why != nil {
			why = ": " + strings.Join(f.why, "; ")
		}
		f.at.Err = fmt.Errorf("%w%s", ErrRun, why)
		r.opts.Warn(f.at)
		if u.failed == nil {
			u.failed = &f
		} else {
			u.failed.why = append(u.failed.why, f.why...)
		}
	}
	return err
}
