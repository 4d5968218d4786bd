package constraint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
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
	HelpURI          string          `json:"helpUri,omitzero"`
	Configuration    sarifConfig     `json:"defaultConfiguration"`
	Properties       sarifProperties `json:"properties,omitzero"`
}

type sarifConfig struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Kind   string `json:"kind,omitzero"`
	Key    string `json:"key,omitzero"`
	Target string `json:"target,omitzero"`
	Test   string `json:"test,omitzero"`
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
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn"`
	ByteOffset  int `json:"byteOffset"`
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
	rule := sarifRule{ID: f.Rule, Configuration: sarifConfig{sarifLevel(f.Level)}}
	rule.ShortDescription.Text = "Structure: " + f.Rule
	if c := f.Constraint; c != nil {
		rule.Configuration.Level = sarifLevel(c.Level)
		rule.HelpURI = c.HelpURL
		rule.Properties = sarifProperties{c.Kind.String(), c.Key, c.Target, c.Test}
		switch {
		case c.Message != "":
			rule.ShortDescription.Text = c.Message
		case c.Test != "":
			rule.ShortDescription.Text = c.Kind.String() + " " + c.Test
		default:
			rule.ShortDescription.Text = c.Kind.String() + " of " + c.Target
		}
	}
	i := len(s.run.Tool.Driver.Rules)
	s.rules[f.Rule] = i
	s.run.Tool.Driver.Rules = append(s.run.Tool.Driver.Rules, rule)
	return i
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
		if at.IsValid() {
			l.Physical.Region = &sarifRegion{at.Line, at.Column, at.Offset}
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

// fileURI writes a file name as a URI reference; a URI stays as it is.
func fileURI(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	return (&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()
}
