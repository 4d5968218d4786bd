package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
	"github.com/issokit/issokit/oscal/profile"
)

// folderLoader serves the files of a folder, and those that URIs are mapped to.
// The URIs are paths as seen from the working directory, like the names of the
// documents themselves.
type folderLoader struct {
	folder string
	root   *os.Root
	mapped map[string]string
}

// newFolderLoader makes the loader for a file: of its own folder if no other is
// named.
func newFolderLoader(file, folder string, mapped map[string]string) (*folderLoader, error) {
	folder = cmp.Or(folder, filepath.Dir(file))
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	// A reference may be mapped as it is written in the document.
	files := maps.Clone(mapped)
	for uri, name := range mapped {
		if u, err := url.Parse(uri); err == nil && u.Scheme == "" && u.Host == "" {
			files[path.Join(filepath.ToSlash(filepath.Dir(file)), u.Path)] = name
		}
	}
	return &folderLoader{folder, root, files}, nil
}

func (l *folderLoader) Close() error { return l.root.Close() }

// Load opens a file. What is not in the folder is refused, also where a
// symbolic link leads there.
func (l *folderLoader) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	if file, ok := l.mapped[uri]; ok {
		f, err := os.Open(file)
		return f, "", err
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, "", err
	}
	if u.Scheme != "" || u.Host != "" {
		return nil, "", errors.New("nothing is read from the network; --map names a file for it")
	}
	name, err := within(l.folder, filepath.FromSlash(u.Path))
	if err != nil {
		return nil, "", err
	}
	info, err := l.root.Stat(name)
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s is not a regular file", u.Path)
	}
	f, err := l.root.Open(name)
	return f, "", err
}

// resolve resolves a profile with the same documents.
func (l *folderLoader) resolve(ctx context.Context, doc *oscal.Document) (*oscal.Document, error) {
	res, err := profile.NewResolver(l, nil).Resolve(ctx, doc, nil)
	if err != nil {
		return nil, err
	}
	return res.Catalog, nil
}

// queryResult is an item that query found, in JSON.
type queryResult struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	File    string `json:"file,omitzero"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
	Path    string `json:"path,omitzero"`
	Pointer string `json:"pointer,omitzero"`
}

func queryCommand() *cobra.Command {
	var asJSON bool
	var folder string
	var mapped map[string]string
	cmd := &cobra.Command{
		Use:   "query METAPATH FILE",
		Short: "Evaluate a Metapath expression on a document",
		Long: "Query prints each item that the expression gives on a line: a value as it is, a\n" +
			"node with its line, column and path before its value. The expression starts at the\n" +
			"document, so that catalog/metadata/title and /catalog/metadata/title are the same.\n" +
			"A document with problems is looked into all the same.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			expr, err := constraint.Compile(args[0], nil)
			if err != nil {
				return err
			}
			doc, err := readAnyway(cmd, args[1])
			if err != nil {
				return err
			}
			loader, err := newFolderLoader(args[1], folder, mapped)
			if err != nil {
				return err
			}
			defer loader.Close()
			items, err := expr.Eval(cmd.Context(), nil, &constraint.EvalOptions{Document: doc, Now: time.Now(), Loader: loader, ResolveProfile: loader.resolve})
			if err != nil {
				return err
			}
			results := make([]queryResult, len(items))
			for i, it := range items {
				results[i] = queryResult{Type: it.Type(), Value: it.String()}
				if n := it.Node(); n != nil && n.Kind() != 0 {
					at := doc.Position(n)
					results[i].Path, results[i].Pointer = n.Path(), n.Pointer()
					if n.Root() == doc.Root() {
						results[i].File, results[i].Line, results[i].Column = args[1], at.Line, at.Column
					}
					results[i].Type = n.Kind().String()
					if n.Kind() == oscal.Assembly {
						results[i].Value = ""
					}
				}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), results)
			}
			for _, r := range results {
				switch {
				case r.Path == "":
					fmt.Fprintln(cmd.OutOrStdout(), r.Value)
				case r.Line > 0:
					fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(fmt.Sprintf("%s:%d:%d: %s %s", r.File, r.Line, r.Column, r.Path, r.Value), " "))
				default:
					fmt.Fprintln(cmd.OutOrStdout(), strings.TrimRight(r.Path+" "+r.Value, " "))
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().StringVar(&folder, "root", "", "folder from which documents may be read; default is that of the document")
	cmd.Flags().StringToStringVar(&mapped, "map", nil, "URI=FILE: the file of a document that is referred to by this URI")
	return cmd
}

// allowedValues are what one constraint says of a flag or field, in JSON.
type allowedValues struct {
	Rule   string   `json:"rule"`
	Set    string   `json:"set"`
	Key    string   `json:"key"`
	Target string   `json:"target"`
	Closed bool     `json:"closed"`
	Values []string `json:"values"`
	Old    []string `json:"deprecated,omitzero"`
}

func listAllowedValuesCommand() *cobra.Command {
	var asJSON bool
	var v validation
	cmd := &cobra.Command{
		Use:   "list-allowed-values PATH",
		Short: "Say what values a flag or field may have",
		Long: "List-allowed-values prints the constraints that restrict the values at a path, such\n" +
			"as /catalog/metadata/party/@type: the rule, whether other values are allowed, the\n" +
			"target with its conditions, and then a value on each line.\n" +
			"A value is fine if one of the constraints whose conditions hold lists it, or if\n" +
			"all of them allow others.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := v.loadSets(cmd); err != nil {
				return err
			}
			list := []allowedValues{}
			for _, set := range append([]*constraint.Set{constraint.BuiltIn()}, v.opts.Sets...) {
				found, err := set.AllowedValues(args[0])
				if err != nil {
					return err
				}
				for _, c := range found {
					a := allowedValues{Rule: c.Rule(), Set: set.Name(), Key: c.Key, Target: c.Target, Closed: !c.AllowOther, Values: []string{}}
					for _, e := range c.Enums {
						if e.Deprecated != "" {
							a.Old = append(a.Old, e.Value)
							continue
						}
						a.Values = append(a.Values, e.Value)
					}
					list = append(list, a)
				}
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, list)
			}
			if len(list) == 0 {
				fmt.Fprintf(out, "%s: no constraint restricts the values\n", args[0])
			}
			for _, a := range list {
				other := "others are allowed"
				if a.Closed {
					other = "no others"
				}
				fmt.Fprintf(out, "%s (%s), target %s\n", a.Rule, other, a.Target)
				for _, value := range a.Values {
					fmt.Fprintf(out, "  %s\n", value)
				}
				for _, value := range a.Old {
					fmt.Fprintf(out, "  %s (deprecated)\n", value)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	cmd.Flags().StringArrayVar(&v.sets, "constraints", nil, "file of a constraint set; may be repeated")
	return cmd
}
