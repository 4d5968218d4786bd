package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

// readDocument reads a file, "-" for the standard input.
func readDocument(cmd *cobra.Command, name string) (*oscal.Document, error) {
	if name == "-" {
		return oscal.Read(cmd.InOrStdin(), &oscal.ReadOptions{Name: "stdin"})
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r = sized{f, int(info.Size())}
	}
	return oscal.Read(r, &oscal.ReadOptions{Name: name})
}

// sized tells the reader how much memory the text needs.
type sized struct {
	io.Reader
	size int
}

func (s sized) Len() int { return s.size }

// outputFormat is the format asked for by flag, else that of the file's
// extension, else 0.
func outputFormat(flag, file string) (oscal.Format, error) {
	if flag != "" {
		return oscal.ParseFormat(flag)
	}
	if ext := filepath.Ext(file); ext != "" {
		return oscal.ParseFormat(ext)
	}
	return 0, nil
}

// writeDocument writes to a file, or to the standard output if its name is
// empty or "-". A file is replaced as a whole or not at all.
func writeDocument(cmd *cobra.Command, doc *oscal.Document, name, format string) error {
	if name == "-" {
		name = ""
	}
	f, err := outputFormat(format, name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := doc.Write(&b, &oscal.WriteOptions{Format: f}); err != nil {
		return err
	}
	if name == "" {
		_, err := cmd.OutOrStdout().Write(b.Bytes())
		return err
	}
	return replaceFile(name, b.Bytes())
}

func replaceFile(name string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// A finding is a problem in JSON output.
type finding struct {
	Level   string `json:"level"`
	Rule    string `json:"rule"`
	File    string `json:"file"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Offset  int    `json:"offset"`
	Pointer string `json:"pointer,omitzero"`
	Path    string `json:"path,omitzero"`
	Message string `json:"message"`

	Kind    string         `json:"kind,omitzero"` // of a constraint
	Related []relatedPlace `json:"related,omitzero"`
}

// relatedPlace is another place that a finding is about.
type relatedPlace struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Pointer string `json:"pointer,omitzero"`
	Path    string `json:"path,omitzero"`
	Message string `json:"message,omitzero"`
}

func findings(ps oscal.Problems) []finding {
	out := make([]finding, len(ps))
	for i, p := range ps {
		out[i] = finding{
			Level: p.Level.String(), Rule: string(p.Rule), File: p.File, Line: p.Position.Line, Column: p.Position.Column, Offset: p.Position.Offset,
			Pointer: p.Pointer, Path: p.Path, Message: p.Message,
		}
	}
	return out
}

// printProblems prints a line for each problem.
func printProblems(w io.Writer, ps oscal.Problems) {
	for _, p := range ps {
		fmt.Fprintln(w, p.Error())
	}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
