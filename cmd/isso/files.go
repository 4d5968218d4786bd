package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
)

// stdinName is what messages call the standard input, whose argument is "-".
const stdinName = "stdin"

// shown is the name of an input in messages.
func shown(file string) string {
	if file == "-" {
		return stdinName
	}
	return file
}

// readDocument reads a file, "-" for the standard input.
func readDocument(cmd *cobra.Command, name string) (*oscal.Document, error) {
	if name == "-" {
		return oscal.Read(cmd.InOrStdin(), &oscal.ReadOptions{Name: stdinName})
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if info, err := f.Stat(); err == nil {
		switch {
		case info.IsDir():
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
		case info.Mode().IsRegular():
			r = sized{f, int(info.Size())}
		}
	}
	return oscal.Read(r, &oscal.ReadOptions{Name: name})
}

// sized tells the reader how much memory the text needs.
type sized struct {
	io.Reader
	size int
}

func (s sized) Len() int { return s.size }

// A reach says which documents a command may read beside those that it is given.
type reach struct {
	root   string            // folder; default is that of the document
	mapped map[string]string // files by URI
}

// flags adds the flags that set r.
func (r *reach) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.root, "root", "", "folder from which documents may be read; default is that of the document")
	cmd.Flags().StringToStringVar(&r.mapped, "map", nil, "URI=FILE: the file of a document that is referred to by this URI")
}

// A folder serves the files of a folder and those below it, and those that URIs
// are mapped to. It is a loader for oscal/profile and oscal/constraint.
type folder struct {
	name   string
	base   string // the folder that URIs are relative to
	root   *os.Root
	mapped map[string]string
}

// open opens the folder of a file, or the one of --root. URIs are paths as seen
// from base, "" for the working directory, from which the names of documents are
// seen.
func (r *reach) open(file, base string) (*folder, error) {
	name := cmp.Or(r.root, filepath.Dir(file))
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// A reference may be mapped as it is written in the document.
	mapped := maps.Clone(r.mapped)
	for uri, to := range r.mapped {
		if u, err := url.Parse(uri); err == nil && u.Scheme == "" && u.Host == "" {
			mapped[path.Join(filepath.ToSlash(filepath.Dir(file)), u.Path)] = to
		}
	}
	return &folder{name, base, root, mapped}, nil
}

func (f *folder) Close() error { return f.root.Close() }

// Load opens a file. What is not in the folder is refused, also where a
// symbolic link leads there.
func (f *folder) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	if file, ok := f.mapped[uri]; ok {
		text, err := os.Open(file)
		return text, "", err
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, "", err
	}
	if u.Scheme != "" || u.Host != "" {
		return nil, "", fmt.Errorf("%s: nothing is read from the network; --map names a file for it", uri)
	}
	file := filepath.FromSlash(u.Path)
	if !filepath.IsAbs(file) {
		file = filepath.Join(f.base, file)
	}
	name, err := within(f.name, file)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w; --root names a wider one", uri, profile.ErrOutside)
	}
	text, err := f.regular(name)
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err // whose path is the one within the folder
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", uri, err)
	}
	return text, "", nil
}

// regular opens a file that is no device, pipe or folder.
func (f *folder) regular(name string) (*os.File, error) {
	info, err := f.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return f.root.Open(name)
}

// resolve resolves a profile with the same documents.
func (f *folder) resolve(ctx context.Context, doc *oscal.Document) (*oscal.Document, error) {
	res, err := profile.NewResolver(f, nil).Resolve(ctx, doc, nil)
	if err != nil {
		return nil, err
	}
	return res.Catalog, nil
}

// within returns the path of a file as seen from a folder.
func within(folder, file string) (string, error) {
	base, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	name, err := filepath.Rel(base, path)
	if err != nil || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%s is not in the folder %s", file, folder)
	}
	return name, nil
}

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
// empty or "-"; see [replaceFile] for what becomes of a file that is there.
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

// replaceFile gives a file a new content, as a whole or not at all. Symbolic
// links are followed; mode and, where the system lets it, owner stay. What is no
// regular file (a pipe, a device) is written to; so is a file whose folder takes
// no other, or whose owner another file could not have.
func replaceFile(name string, data []byte) error {
	return replaceFileWith(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// replaceFileWith is replaceFile with what a function writes.
func replaceFileWith(name string, write func(io.Writer) error) error {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		return overwrite(name, os.O_WRONLY, write)
	}
	if err == nil {
		// Who may not write to the file may not replace it either.
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		f.Close()
	}
	target, err := followLinks(name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o666)
	if info != nil {
		mode = info.Mode().Perm()
	}
	tmp, err := newFileBeside(target, mode)
	if err != nil {
		if info == nil {
			return err
		}
		return overwrite(target, os.O_WRONLY|os.O_TRUNC, write)
	}
	defer os.Remove(tmp.Name())
	if info != nil {
		if err := keepOwner(tmp, info); err != nil {
			tmp.Close()
			return overwrite(target, os.O_WRONLY|os.O_TRUNC, write)
		}
		if err := tmp.Chmod(mode); err != nil { // without the mask of the process
			tmp.Close()
			return err
		}
	}
	err = write(tmp)
	if err = cmp.Or(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), target)
}

// overwrite writes to a file that is there.
func overwrite(name string, flag int, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, flag, 0)
	if err != nil {
		return err
	}
	err = write(f)
	return cmp.Or(err, f.Close())
}

// followLinks returns the path of the file that a name means, though the last of
// the symbolic links may lead to one that is not there yet.
func followLinks(name string) (string, error) {
	for range 40 { // as many as Linux follows
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return name, nil
		}
		if err != nil {
			return "", err
		}
		to, err := os.Readlink(name)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			// The steps up in a link count from where the folder really is.
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			to = filepath.Join(dir, to)
		}
		name = to
	}
	return "", &fs.PathError{Op: "open", Path: name, Err: errors.New("too many symbolic links")}
}

// temporaries counts the files of newFileBeside. No name is used twice: a file may
// be given its last name, and its first be removed, while others are made.
var temporaries atomic.Int64

// newFileBeside makes a file in the folder of another.
func newFileBeside(name string, mode fs.FileMode) (*os.File, error) {
	for {
		tmp := filepath.Join(filepath.Dir(name), fmt.Sprintf(".isso-%d-%d", os.Getpid(), temporaries.Add(1)))
		f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			if p, ok := errors.AsType[*fs.PathError](err); ok {
				p.Path = name // the one that the caller knows
			}
			return f, err
		}
	}
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
