package profile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing/fstest"
	"time"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
)

const exampleCatalog = `{
  "catalog": {
    "uuid": "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",
    "metadata": {"title": "Controls", "last-modified": "2026-01-01T00:00:00Z", "version": "1.0", "oscal-version": "1.2.2"},
    "groups": [
      {"id": "ac", "title": "Access", "controls": [
        {"id": "ac-1", "title": "Accounts", "params": [{"id": "ac-1_prm", "label": "days"}],
         "parts": [{"id": "ac-1_smt", "name": "statement", "prose": "Disable accounts after {{ insert: param, ac-1_prm }} days."}]},
        {"id": "ac-2", "title": "Sessions"}
      ]},
      {"id": "bk", "title": "Backup", "controls": [{"id": "bk-1", "title": "Backups"}]}
    ]
  }
}`

const exampleProfile = `{
  "profile": {
    "uuid": "b0a3f2de-6a3c-4c55-9a53-3a2f4a6c7d20",
    "metadata": {"title": "Baseline", "last-modified": "2026-02-01T00:00:00Z", "version": "1.0", "oscal-version": "1.2.2"},
    "imports": [{"href": "catalog.json", "include-controls": [{"with-ids": ["ac-1", "bk-1", "bk-9"]}]}],
    "merge": {"as-is": true},
    "modify": {"set-parameters": [{"param-id": "ac-1_prm", "values": ["30"]}]}
  }
}`

func ExampleNewResolver() {
	documents := profile.Map{"catalog.json": exampleCatalog, "profile.json": exampleProfile}
	res, err := profile.NewResolver(documents, nil).ResolveURI(context.Background(), "profile.json", &profile.Options{
		Now: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for group := range res.Catalog.Root().All("group") {
		for control := range group.All("control") {
			fmt.Printf("%s %s %q\n", group.Get("title"), control.Get("id"), control.Child("param").Get("value"))
		}
	}
	for _, w := range res.Warnings {
		fmt.Println(w)
	}
	// Output:
	// Access ac-1 "30"
	// Backup bk-1 ""
	// profile.json:5:93: warning: the import "catalog.json" has no control "bk-9" (at /profile/imports/0/include-controls/0/with-ids/2) [unknown-control]
}

// A document that is at hand already need not be loaded.
func ExampleResolver_Add() {
	catalog, err := oscal.Parse(exampleCatalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, err := oscal.Parse(exampleProfile, &oscal.ReadOptions{Name: "profile.json"})
	if err != nil {
		fmt.Println(err)
		return
	}
	resolver := profile.NewResolver(nil, nil)
	resolver.Add("catalog.json", catalog)
	res, err := resolver.Resolve(context.Background(), doc, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := oscal.As[oscal.Catalog](res.Catalog)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(view.Metadata.Title, len(oscal.Items(view.Groups)), res.Documents)
	// Output:
	// Baseline 2 [profile.json catalog.json]
}

// All that is wrong comes at once.
func ExampleProblems() {
	documents := profile.Map{"profile.json": `{
  "profile": {
    "uuid": "b0a3f2de-6a3c-4c55-9a53-3a2f4a6c7d20",
    "metadata": {"title": "Baseline", "last-modified": "2026-02-01T00:00:00Z", "version": "1.0", "oscal-version": "1.2.2"},
    "imports": [
      {"href": "missing.json", "include-all": {}},
      {"href": "#6a1d1a0e-92a7-4f0a-8a5e-1f6f8f0d5c11", "include-all": {}},
      {"href": "profile.json", "include-all": {}}
    ]
  }
}`}
	_, err := profile.NewResolver(documents, nil).ResolveURI(context.Background(), "profile.json", nil)
	problems, _ := errors.AsType[profile.Problems](err)
	for _, p := range problems {
		fmt.Println(p.Rule, p.Position, p.Subject)
	}
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// import-unavailable 6:16 missing.json
	// resource-not-found 7:16 6a1d1a0e-92a7-4f0a-8a5e-1f6f8f0d5c11
	// circular-import 8:16 profile.json
	// true
}

// Files are served from a tree that imports cannot leave.
func ExampleFS() {
	tree := fstest.MapFS{
		"nist/catalog.json":  {Data: []byte(exampleCatalog)},
		"nist/profile.json":  {Data: []byte(exampleProfile)},
		"nist/my thing.json": {Data: []byte(exampleCatalog)},
	}
	loader := profile.FS(tree)
	res, err := profile.NewResolver(loader, nil).ResolveURI(context.Background(), "nist/profile.json", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Documents)
	for _, uri := range []string{"nist/my%20thing.json", "../secret.json", "https://example.org/catalog.json"} {
		_, _, err := loader.Load(context.Background(), uri)
		fmt.Println(err)
	}
	// Output:
	// [nist/profile.json nist/catalog.json]
	// <nil>
	// ../secret.json: not in the folder that documents are read from
	// https://example.org/catalog.json: not in the folder that documents are read from
}

// A program decides where documents come from, and may say that one was found
// elsewhere: what that imports is relative to there.
func ExampleLoaderFunc() {
	stored := profile.Map{"https://example.org/v2/catalog.json": exampleCatalog, "https://example.org/profile.json": exampleProfile}
	loader := profile.LoaderFunc(func(ctx context.Context, uri string) (io.ReadCloser, string, error) {
		if uri == "https://example.org/catalog.json" { // moved
			uri = "https://example.org/v2/catalog.json"
		}
		text, _, err := stored.Load(ctx, uri)
		return text, uri, err
	})
	res, err := profile.NewResolver(loader, nil).ResolveURI(context.Background(), "https://example.org/profile.json", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Documents)
	// Output:
	// [https://example.org/profile.json https://example.org/v2/catalog.json]
}

// Texts by URI are enough for tests and for documents kept in a database.
func ExampleMap() {
	texts := profile.Map{"my catalog.json": exampleCatalog}
	text, _, err := texts.Load(context.Background(), "my%20catalog.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer text.Close()
	doc, err := oscal.Read(text, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Model())
	_, _, err = texts.Load(context.Background(), "other.json")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// catalog
	// true
}
