package constraint

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// SARIFOptions configure [WriteSARIF]; nil means the defaults.
type SARIFOptions struct {
	Tool           string // name of the program; default "issokit"
	Version        string // of the program, "" for none
	InformationURI string // of the program; default the page of the project
}

// The parts of a SARIF log that are written, in the order of the standard
// (SARIF 2.1.0, OASIS, section 3).
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool       `json:"tool"`
	Artifacts  []sarifArtifact `json:"artifacts,omitzero"`
	Results    []sarifResult   `json:"results"`
	ColumnKind string          `json:"columnKind"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitzero"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string          `json:"id"`
	ShortDescription sarifText       `json:"shortDescription"`
	FullDescription  sarifText       `json:"fullDescription"`
	Configuration    sarifConfig     `json:"defaultConfiguration"`
	HelpURI          string          `json:"helpUri,omitzero"`
	Help             sarifText       `json:"help"`
	Properties       sarifProperties `json:"properties"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

// sarifProperties hold what the standard has no place for; tags and
// problem.severity are those that code scanning reads.
type sarifProperties struct {
	Tags     []string `json:"tags"`
	Severity string   `json:"problem.severity"`
	Category string   `json:"category"`
	Kind     string   `json:"kind,omitzero"`
	Key      string   `json:"key,omitzero"`
	Target   string   `json:"target,omitzero"`
	Test     string   `json:"test,omitzero"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifArtifact struct {
	Location sarifURI `json:"location"`
}

type sarifURI struct {
	URI   string `json:"uri"`
	Index *int   `json:"index,omitzero"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Related      []sarifLocation   `json:"relatedLocations,omitzero"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	ID       *int           `json:"id,omitzero"`
	Physical *sarifPhysical `json:"physicalLocation,omitzero"`
	Logical  []sarifLogical `json:"logicalLocations,omitzero"`
	Message  *sarifText     `json:"message,omitzero"`
}

type sarifPhysical struct {
	Artifact sarifURI     `json:"artifactLocation"`
	Region   *sarifRegion `json:"region,omitzero"`
}

type sarifRegion struct {
	StartLine   int  `json:"startLine"`
	StartColumn int  `json:"startColumn,omitzero"`
	ByteOffset  *int `json:"byteOffset,omitzero"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

// WriteSARIF writes findings, of one or of several documents, as a log of the
// Static Analysis Results Interchange Format (SARIF 2.1.0) with one run. Columns
// are counted in code points, as columnKind says. The same findings give the
// same bytes.
func WriteSARIF(w io.Writer, findings []Finding, opts *SARIFOptions) error {
	var o SARIFOptions
	if opts != nil {
		o = *opts
	}
	s := &sarifWriter{rules: map[string]int{}, artifacts: map[string]int{}}
	s.run.ColumnKind = "unicodeCodePoints"
	s.run.Results = []sarifResult{}
	d := &s.run.Tool.Driver
	d.Name, d.Version, d.InformationURI, d.Rules = o.Tool, o.Version, o.InformationURI, []sarifRule{}
	if d.Name == "" {
		d.Name = "issokit"
	}
	if d.InformationURI == "" {
		d.InformationURI = "https://github.com/issokit/issokit"
	}
	for i := range findings {
		s.result(&findings[i])
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{s.run},
	})
}

type sarifWriter struct {
	run       sarifRun
	rules     map[string]int
	artifacts map[string]int
}

func (s *sarifWriter) result(f *Finding) {
	sum := sha256.Sum256([]byte(f.Rule + "\x00" + f.Path + "\x00" + f.Pointer + "\x00" + f.Message))
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: s.rule(f), Level: sarifLevel(f.Level), Message: sarifText{f.Message},
		Locations:    []sarifLocation{s.location(f.File, f.Position, f.Path, f.Pointer)},
		Fingerprints: map[string]string{"oscalPlace/v1": hex.EncodeToString(sum[:16])},
	}
	for i, rel := range f.Related {
		l := s.location(rel.File, rel.Position, rel.Path, rel.Pointer)
		l.ID, l.Message = new(i), &sarifText{rel.Message}
		r.Related = append(r.Related, l)
	}
	s.run.Results = append(s.run.Results, r)
}

func sarifLevel(l Level) string {
	switch {
	case l >= LevelError:
		return "error"
	case l == LevelWarning:
		return "warning"
	}
	return "note"
}

func (s *sarifWriter) rule(f *Finding) int {
	if i, ok := s.rules[f.Rule]; ok {
		return i
	}
	i := len(s.run.Tool.Driver.Rules)
	s.rules[f.Rule] = i
	s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, newSARIFRule(f))
	return i
}

func newSARIFRule(f *Finding) sarifRule {
	rule := sarifRule{ID: f.Rule, Configuration: sarifConfig{sarifLevel(f.Level)}}
	if c := f.Constraint; c != nil {
		full := describe(c)
		short := cmp.Or(c.FormalName, full)
		if c.FormalName == "" && c.Message != "" && !strings.Contains(c.Message, "{") {
			short = c.Message
		}
		where := c.Key
		if c.File != "" {
			where = c.File + ":" + strconv.Itoa(c.Line)
		}
		rule.ShortDescription.Text, rule.FullDescription.Text = short, full
		rule.Help.Text = full + " The constraint is defined in " + where + "."
		rule.HelpURI = c.HelpURL
		rule.Configuration.Level = sarifLevel(c.Level)
		rule.Properties = sarifProperties{Category: "constraints", Kind: c.Kind.String(), Key: c.Key, Target: c.Target, Test: c.Test}
	} else if t, ok := ruleTexts[oscal.Rule(f.Rule)]; ok {
		rule.ShortDescription.Text, rule.FullDescription.Text, rule.Help.Text = t.short, t.full, t.full
		rule.HelpURI = t.helpURI
		rule.Configuration.Level = "error"
		if t.warning {
			rule.Configuration.Level = "warning"
		}
		rule.Properties.Category = t.category
	} else { // a rule of the caller's
		rule.ShortDescription.Text, rule.FullDescription.Text, rule.Help.Text = f.Rule, f.Rule, f.Rule
		rule.Properties.Category = "others"
	}
	rule.Properties.Tags = []string{"OSCAL", rule.Properties.Category}
	rule.Properties.Severity = rule.Configuration.Level
	if rule.Properties.Severity == "note" {
		rule.Properties.Severity = "recommendation"
	}
	return rule
}

func (s *sarifWriter) location(file string, at oscal.Position, path, pointer string) sarifLocation {
	var l sarifLocation
	if file != "" {
		uri := fileURI(file)
		i, ok := s.artifacts[uri]
		if !ok {
			i = len(s.run.Artifacts)
			s.artifacts[uri] = i
			s.run.Artifacts = append(s.run.Artifacts, sarifArtifact{sarifURI{URI: uri}})
		}
		l.Physical = &sarifPhysical{Artifact: sarifURI{uri, new(i)}}
		// Code scanning takes no result without a line.
		l.Physical.Region = &sarifRegion{StartLine: 1}
		if at.IsValid() {
			l.Physical.Region = &sarifRegion{at.Line, at.Column, new(at.Offset)}
		}
	}
	// Code scanning shows the logical place; the XML path has names where the
	// pointer has numbers only.
	if path != "" {
		l.Logical = append(l.Logical, sarifLogical{path, "element"})
	}
	if pointer != "" {
		l.Logical = append(l.Logical, sarifLogical{pointer, "member"})
	}
	return l
}

// fileURI writes a file name as a URI reference, which is relative if the name
// is; a URI stays as it is.
func fileURI(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	u := url.URL{Path: filepath.ToSlash(name)}
	if !filepath.IsAbs(name) {
		return u.EscapedPath()
	}
	return "file://" + (&url.URL{Path: "/" + strings.TrimPrefix(u.Path, "/")}).EscapedPath()
}
