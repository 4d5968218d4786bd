package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
)

func resolveCommand() *cobra.Command {
	var to, out, now string
	var reach reach
	var asJSON bool
	opts := &profile.Options{}
	cmd := &cobra.Command{
		Use:   "resolve PROFILE",
		Short: "Make the catalog that a profile describes",
		Long: "Resolve reads a profile and what it imports, and writes the resolved catalog.\n" +
			"Imports are read from the folder of the profile and those below it; --root names\n" +
			"another folder, in which the profile must be. Nothing outside of it is read, not\n" +
			"through a symbolic link either, and nothing from the network: --map gives the file\n" +
			"of a document that is imported by a URL. PROFILE may be - for the standard input,\n" +
			"whose imports are read from the working directory or --root.\n" +
			"Problems and warnings are lines FILE:LINE:COLUMN: MESSAGE (at JSON-POINTER) [RULE]\n" +
			"on the standard error.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Now = time.Now()
			if now != "" {
				t, err := time.Parse(time.RFC3339, now)
				if err != nil {
					return fmt.Errorf("--now: expected a time such as 2026-06-30T00:00:00Z, found %q", now)
				}
				opts.Now = t
			}
			res, problems, err := resolve(cmd, args[0], &reach, opts)
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(cmd.ErrOrStderr(), findings(problems)); err != nil {
					return err
				}
			} else {
				printProblems(cmd.ErrOrStderr(), problems)
			}
			if res == nil {
				return errProblems
			}
			return writeDocument(cmd, res.Catalog, out, to)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&to, "to", "", "json, yaml or xml; default is that of the extension of --out, else json")
	flags.StringVarP(&out, "out", "o", "", "file to write; default is the standard output")
	reach.flags(cmd)
	flags.StringVar(&now, "now", "", "last-modified of the catalog, e.g. 2026-06-30T00:00:00Z; default is the present time")
	flags.BoolVar(&opts.KeepNesting, "keep-nesting", false, "keep child controls inside of their parents where the profile asks for a flat catalog")
	flags.BoolVar(&opts.HideSource, "hide-source", false, "do not tell in the catalog where the profile is")
	flags.BoolVar(&asJSON, "json", false, "print problems and warnings as a JSON array")
	return cmd
}

// resolve resolves the profile in a file. Without a result there are problems;
// an error means that there was nothing to resolve.
func resolve(cmd *cobra.Command, file string, reach *reach, opts *profile.Options) (*profile.Result, oscal.Problems, error) {
	folder, err := reach.open(file, cmp.Or(reach.root, filepath.Dir(file)))
	if err != nil {
		return nil, nil, err
	}
	defer folder.Close()
	loader, uri := profile.Loader(folder), stdinName
	if file == "-" {
		opts.HideSource = true // there is no address to tell
		loader = profile.LoaderFunc(func(ctx context.Context, uri string) (io.ReadCloser, string, error) {
			if uri == stdinName {
				return io.NopCloser(cmd.InOrStdin()), "", nil
			}
			return folder.Load(ctx, uri)
		})
	} else {
		if _, err := os.Stat(file); err != nil {
			return nil, nil, err
		}
		name, err := within(folder.name, file)
		if err != nil {
			return nil, nil, err
		}
		uri = (&url.URL{Path: filepath.ToSlash(name)}).String()
	}
	res, err := profile.NewResolver(loader, nil).ResolveURI(cmd.Context(), uri, opts)
	found, ok := errors.AsType[profile.Problems](err)
	if err != nil && !ok {
		return nil, nil, err
	}
	if res != nil {
		found = res.Warnings
	}
	ps := located(found, folder.name)
	if file == "-" {
		for i := range ps {
			if ps[i].File == filepath.Join(folder.name, stdinName) {
				ps[i].File = stdinName
			}
		}
	}
	return res, ps, nil
}

// located gives problems the paths of files as seen from the working directory.
// What is wrong with an import that could not be read comes before the import.
func located(found profile.Problems, folder string) oscal.Problems {
	var ps oscal.Problems
	for _, p := range found {
		if p.Rule == profile.RuleDocumentInvalid {
			inner, _ := errors.AsType[oscal.Problems](p.Err)
			ps = append(ps, inner...)
		}
		ps = append(ps, p.Problem)
	}
	for i := range ps {
		if u, err := url.Parse(ps[i].File); err == nil && u.Scheme == "" && !strings.HasPrefix(u.Path, "/") {
			ps[i].File = filepath.Join(folder, filepath.FromSlash(u.Path))
			if u.Fragment != "" {
				ps[i].File += "#" + u.Fragment
			}
		}
	}
	return ps
}
