package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // driver
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"
	_ "modernc.org/sqlite" // driver

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/documents"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/file"
	"github.com/issokit/issokit/store/postgres"
	"github.com/issokit/issokit/store/sqlite"
)

// dbFlags say where the store is and who works on it.
type dbFlags struct {
	place     string
	principal store.Principal
	quiet     bool
}

func dbCommand() *cobra.Command {
	var f dbFlags
	cmd := &cobra.Command{
		Use:   "db",
		Short: "Keep documents and records in a store with history and audit trail",
		Long: "Db works on a store: a SQLite file, a folder (a path that ends in / or is one), or a\n" +
			"PostgreSQL database (postgres://...). Every change says who, when and why, in an\n" +
			"audit trail that shows whether somebody rewrote the past.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.place, "db", "isso.db", "SQLite file, folder or postgres:// URL")
	flags.StringVar(&f.principal.Tenant, "tenant", "", "whose records")
	flags.StringVar(&f.principal.Actor, "actor", "", "who makes a change; default is the user of the system")
	flags.StringVar(&f.principal.Reason, "reason", "", "why")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress")
	cmd.AddCommand(dbInit(&f), dbImport(&f), dbExport(&f), dbLog(&f), dbVerify(&f), dbBackup(&f), dbKey(), dbCheckpoint(&f))
	return cmd
}

// place is an open store. db is nil for a folder.
type place struct {
	driver.Backend
	db *sql.DB
}

func (p place) Close() error {
	err := p.Backend.Close()
	if p.db != nil {
		err = errors.Join(err, p.db.Close())
	}
	return err
}

func (f *dbFlags) isPostgres() bool {
	return strings.HasPrefix(f.place, "postgres://") || strings.HasPrefix(f.place, "postgresql://")
}

// String returns the place without a password that a URL may hold.
func (f *dbFlags) String() string {
	if !f.isPostgres() {
		return f.place
	}
	u, err := url.Parse(f.place)
	if err != nil {
		return "PostgreSQL"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// access is what a command does with a store.
type access int

const (
	toRead  access = iota // changes nothing
	toWrite               // changes what is in it
	toInit                // makes it, or brings it up to date
)

// open opens the store. Only init makes one that is not there, or brings an old one
// up to date.
func (f *dbFlags) open(ctx context.Context, to access) (p place, err error) {
	p, err = f.openPlace(ctx, to)
	if errors.Is(err, driver.ErrNoStore) {
		err = fmt.Errorf("%v holds no store: %w (isso db init makes one, or brings it up to date)", f, err)
	}
	return p, err
}

func (f *dbFlags) openPlace(ctx context.Context, to access) (place, error) {
	existing := to != toInit
	if f.isPostgres() {
		return f.openSQL(ctx, "pgx", f.place, func(db *sql.DB) (driver.Backend, error) {
			return postgres.New(ctx, db, &postgres.Options{Existing: existing})
		})
	}
	info, err := os.Stat(f.place)
	switch {
	case err != nil && existing:
		return place{}, fmt.Errorf("%w (isso db init makes a store)", err)
	case strings.HasSuffix(f.place, "/"), err == nil && info.IsDir():
		b, err := file.Open(f.place, &file.Options{Existing: existing})
		return place{Backend: b}, err
	}
	open := func(parameters string) (place, error) {
		dsn := url.URL{Scheme: "file", Opaque: url.PathEscape(f.place), RawQuery: "_pragma=busy_timeout(10000)" + parameters}
		return f.openSQL(ctx, "sqlite", dsn.String(), func(db *sql.DB) (driver.Backend, error) {
			if existing {
				if err := holdsStore(ctx, db); err != nil {
					return nil, err
				}
			}
			return sqlite.New(ctx, db, &sqlite.Options{Existing: existing})
		})
	}
	if to != toRead {
		return open("")
	}
	p, err := open("&mode=ro")
	if err == nil || errors.Is(err, driver.ErrNoStore) || errors.Is(err, driver.ErrNewerSchema) {
		return p, err
	}
	// Where SQLite cannot make the files that it needs beside a database in WAL mode,
	// nobody else can. What is in the log would not be seen.
	if info, walErr := os.Stat(f.place + "-wal"); walErr == nil && info.Size() > 0 {
		return place{}, err
	}
	if p, immutableErr := open("&mode=ro&immutable=1"); immutableErr == nil {
		return p, nil
	}
	return place{}, err
}

// holdsStore looks for the tables of a store before anything is changed in a
// database, which may be that of another program.
func holdsStore(ctx context.Context, db *sql.DB) error {
	n := 0
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'issokit_meta'").Scan(&n)
	if err == nil && n == 0 {
		err = driver.ErrNoStore
	}
	return err
}

func (f *dbFlags) openSQL(ctx context.Context, name, dsn string, open func(*sql.DB) (driver.Backend, error)) (p place, err error) {
	db, err := sql.Open(name, dsn)
	if err != nil {
		return place{}, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	if err := db.PingContext(ctx); err != nil {
		return place{}, err
	}
	b, err := open(db)
	if err != nil {
		return place{}, err
	}
	return place{b, db}, nil
}

// run opens the store, runs fn, and closes it. A broken audit trail is a finding,
// not a failure.
func (f *dbFlags) run(cmd *cobra.Command, to access, fn func(place, *store.Scope) error) error {
	p, err := f.open(cmd.Context(), to)
	if err != nil {
		return err
	}
	err = errors.Join(fn(p, f.scope(p, f.principal.Tenant)), p.Close())
	if broken, ok := errors.AsType[*store.ChainError](err); ok {
		fmt.Fprintln(cmd.OutOrStdout(), broken)
		return errProblems
	}
	return err
}

// scope is the store as seen by the actor who works on a tenant.
func (f *dbFlags) scope(p place, tenant string) *store.Scope {
	principal := f.principal
	principal.Tenant = tenant
	if principal.Actor == "" {
		principal.Actor = "unknown"
		if u, err := user.Current(); err == nil {
			principal.Actor = u.Username
		}
	}
	return store.New(p, nil).Scope(principal)
}

// tenants are those of a store.
func (p place) tenants(ctx context.Context) ([]string, error) {
	l, ok := p.Backend.(driver.Lister)
	if !ok {
		return nil, errors.New("this kind of store does not tell whose records it has: give --tenant")
	}
	return l.Tenants(ctx)
}

// progress shows how far a long work has come, on a terminal.
func (f *dbFlags) progress(cmd *cobra.Command, what string) (step func(int64), done func()) {
	w, ok := cmd.ErrOrStderr().(*os.File)
	if !ok || f.quiet {
		return nil, func() {}
	}
	if info, err := w.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil, func() {}
	}
	return func(n int64) { fmt.Fprintf(w, "\r%s: %d entries", what, n) }, func() { fmt.Fprint(w, "\r\x1b[K") }
}

func dbInit(f *dbFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Make a store, or bring an old one up to date",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd, toInit, func(p place, _ *store.Scope) error {
				tenants, err := p.tenants(cmd.Context())
				if err != nil {
					return err
				}
				for _, tenant := range tenants { // they may be searched by more than before
					if _, err := documents.NewLibrary(f.scope(p, tenant)).Entries().Reindex(cmd.Context()); err != nil {
						return err
					}
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: ready\n", f)
				return nil
			})
		},
	}
}

const exportMark = `{"format":"issokit-export"`

func dbImport(f *dbFlags) *cobra.Command {
	var known checkpointFlags
	cmd := &cobra.Command{
		Use:   "import FILE|DIR...",
		Short: "Put the documents of a package, or an export of a store, into the store",
		Long: "Import puts OSCAL documents into the store in one transaction, all or none, each under\n" +
			"its file name without extension; of a folder, all .json, .yaml, .yml and .xml files in\n" +
			"it and below. A document that is there becomes a new version, unless nothing has\n" +
			"changed. A file that \"isso db export --trail\" made is checked and brings records,\n" +
			"history and audit trail; with a checkpoint, none of it is stored unless the file\n" +
			"reaches the checkpoint.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := documentFiles(args)
			if err != nil {
				return err
			}
			cp, err := known.read()
			if err != nil {
				return err
			}
			return f.run(cmd, toWrite, func(_ place, s *store.Scope) error {
				var docs []string
				for _, name := range files {
					isExport, err := f.importTrail(cmd, s, name, cp)
					if err != nil {
						return err
					}
					if !isExport {
						docs = append(docs, name)
					}
				}
				return importDocuments(cmd, s, docs)
			})
		},
	}
	known.add(cmd)
	return cmd
}

// documentFiles replaces folders by the documents in them and below.
func documentFiles(args []string) ([]string, error) {
	var files []string
	for _, a := range args {
		info, err := os.Stat(a)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, a)
			continue
		}
		before := len(files)
		err = filepath.WalkDir(a, func(name string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && slices.Contains([]string{".json", ".yaml", ".yml", ".xml"}, filepath.Ext(name)) {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: there is no document (.json, .yaml, .yml, .xml) in this folder", a)
		}
	}
	return files, nil
}

// documentName is the name under which the document of a file is stored.
func documentName(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// importTrail imports a file if it is an export.
func (f *dbFlags) importTrail(cmd *cobra.Command, s *store.Scope, name string, cp *store.Checkpoint) (bool, error) {
	in, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer in.Close()
	head := make([]byte, len(exportMark))
	if n, _ := in.ReadAt(head, 0); string(head[:n]) != exportMark {
		return false, nil
	}
	step, done := f.progress(cmd, "import")
	report, err := s.Import(cmd.Context(), in, &store.VerifyOptions{Progress: step, Checkpoint: cp})
	done()
	if err != nil {
		return true, fmt.Errorf("%s: %w", name, err)
	}
	if _, err := documents.NewLibrary(s).Entries().Reindex(cmd.Context()); err != nil {
		return true, err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d entries, %d blobs, up to entry %d\n", name, report.Entries, report.Blobs, report.Seq)
	return true, nil
}

func importDocuments(cmd *cobra.Command, s *store.Scope, files []string) error {
	texts := make([][]byte, len(files))
	first := map[string]string{}
	for i, name := range files {
		if other, ok := first[documentName(name)]; ok {
			return fmt.Errorf("%s and %s would both be stored as %q; import one of them", other, name, documentName(name))
		}
		first[documentName(name)] = name
		var err error
		if texts[i], err = os.ReadFile(name); err != nil {
			return err
		}
	}
	var lines bytes.Buffer
	wrong := 0
	err := s.Update(cmd.Context(), func(tx *store.Tx) error {
		lines.Reset()
		wrong = 0
		library := documents.NewLibrary(tx.Scope())
		for i, name := range files {
			key := documentName(name)
			was, err := library.Entries().Load(cmd.Context(), key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if was.Revision > 0 && was.Value.Content == store.DigestOf(texts[i]) {
				fmt.Fprintf(&lines, "%s: unchanged, revision %d\n", key, was.Revision)
				continue
			}
			e, revision, err := library.Put(cmd.Context(), key, texts[i], was.Revision)
			if ps, ok := errors.AsType[oscal.Problems](err); ok {
				for i := range ps {
					ps[i].File = name
				}
				printProblems(cmd.ErrOrStderr(), ps)
				wrong++
				continue
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(&lines, "%s: %s %q, version %s, revision %d\n", key, e.Model, e.Title, e.Version, revision)
		}
		if wrong > 0 {
			return errProblems // all or none
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = lines.WriteTo(cmd.OutOrStdout())
	return err
}

func dbExport(f *dbFlags) *cobra.Command {
	var out, trail string
	cmd := &cobra.Command{
		Use:   "export [NAME...] (--out DIR | --trail FILE)",
		Short: "Write the documents to a folder, or the whole store to a file",
		Long: "Export writes the documents of the given names, or all, to a folder, byte for byte as\n" +
			"they were imported; what no file name can hold is written as in URLs (%2F).\n" +
			"With --trail it writes one file with the audit trail, all contents and documents:\n" +
			"\"isso db import\" reads it, \"isso db verify --export\" checks it without a store. FILE\n" +
			"may be - for the standard output.",
		RunE: func(cmd *cobra.Command, names []string) error {
			if (out == "") == (trail == "") {
				return errors.New("give either --out or --trail")
			}
			return f.run(cmd, toRead, func(_ place, s *store.Scope) error {
				if trail != "" {
					return f.exportTrail(cmd, s, trail)
				}
				return exportDocuments(cmd, s, out, names)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder for the documents")
	cmd.Flags().StringVar(&trail, "trail", "", "file for the whole store")
	return cmd
}

func (f *dbFlags) exportTrail(cmd *cobra.Command, s *store.Scope, name string) error {
	step, done := f.progress(cmd, "export")
	defer done()
	o := &store.ExportOptions{Progress: step}
	if name == "-" {
		return s.Export(cmd.Context(), cmd.OutOrStdout(), o)
	}
	return replaceFileWith(name, func(w io.Writer) error { return s.Export(cmd.Context(), w, o) })
}

func exportDocuments(cmd *cobra.Command, s *store.Scope, out string, names []string) error {
	library := documents.NewLibrary(s)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(out)
	if err != nil {
		return err
	}
	defer root.Close()
	missing := slices.Clone(names)
	for e, err := range library.Find(cmd.Context(), documents.Query{}) {
		if err != nil {
			return err
		}
		if len(names) > 0 && !slices.Contains(names, e.Name) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(n string) bool { return n == e.Name })
		text, err := library.Version(cmd.Context(), e)
		if err != nil {
			return err
		}
		file := fileName(e.Name) + "." + e.Format
		if err := root.WriteFile(file, text, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, file))
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no document %s", strings.Join(missing, ", "))
	}
	return nil
}

// fileName is a name that any file system takes for that of one file.
func fileName(name string) string {
	var b strings.Builder
	for i, c := range []byte(name) {
		if c < ' ' || c == 0x7f || strings.IndexByte(`/\:*?"<>|%`, c) >= 0 || c == '.' && i == 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// printable is a text that changes nothing on a terminal but the line that it
// stands in.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// logLine is an entry of the audit trail in JSON.
type logLine struct {
	Seq        int64        `json:"seq"`
	Time       string       `json:"time"`
	Actor      string       `json:"actor"`
	Action     store.Action `json:"action"`
	Collection string       `json:"collection"`
	Key        string       `json:"key"`
	Revision   int64        `json:"revision"`
	Reason     string       `json:"reason,omitzero"`
	Content    string       `json:"content,omitzero"`
}

func dbLog(f *dbFlags) *cobra.Command {
	var from, to int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Print who changed what, when and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd, toRead, func(_ place, s *store.Scope) error {
				lines := []logLine{}
				w := bufio.NewWriter(cmd.OutOrStdout())
				for e, err := range s.Trail(cmd.Context(), from, to) {
					if err != nil {
						return err
					}
					l := logLine{e.Seq, store.TimeValue(e.Time), e.Actor, e.Action, e.Collection, e.Key, e.Revision, e.Reason, ""}
					if !e.Content.IsZero() {
						l.Content = e.Content.String()
					}
					if asJSON {
						lines = append(lines, l)
						continue
					}
					reason := ""
					if e.Reason != "" {
						reason = fmt.Sprintf(" (%q)", e.Reason)
					}
					fmt.Fprintf(w, "%d  %s  %s  %v %s/%s revision %d%s\n", l.Seq, l.Time, printable(l.Actor), l.Action, printable(l.Collection), printable(l.Key), l.Revision, reason)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), lines)
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().Int64Var(&from, "from", 0, "first entry")
	cmd.Flags().Int64Var(&to, "to", 0, "last entry")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// checkpointFlags name what was known of a trail before.
type checkpointFlags struct {
	file, key string
}

func (c *checkpointFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.file, "checkpoint", "", "file with a signed checkpoint")
	cmd.Flags().StringVar(&c.key, "key", "", "file with the verifier key of the checkpoint")
}

// read returns the checkpoint, nil if none is named.
func (c *checkpointFlags) read() (*store.Checkpoint, error) {
	if (c.file == "") != (c.key == "") {
		return nil, errors.New("--checkpoint and --key belong together")
	}
	if c.file == "" {
		return nil, nil
	}
	signed, err := os.ReadFile(c.file)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(c.key)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.key, err)
	}
	cp, err := store.OpenCheckpoint(signed, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	return &cp, nil
}

func dbVerify(f *dbFlags) *cobra.Command {
	var known checkpointFlags
	var export string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that nobody rewrote the past",
		Long: "Verify goes along the audit trails of all tenants, or of the one that --tenant names, and\n" +
			"names the first entry that was changed, removed, put in or moved, and the first record,\n" +
			"document or index that is not as the trail says. With a checkpoint that was kept\n" +
			"elsewhere it also finds a trail whose end was cut off or that was written anew. With\n" +
			"--export it checks a file that \"isso db export --trail\" made. It changes nothing in the\n" +
			"store. Exit status 1 says that a trail is broken, or that there is none.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cp, err := known.read()
			if err != nil {
				return err
			}
			if export != "" {
				step, done := f.progress(cmd, "verify")
				return verifyFile(cmd, export, &store.VerifyOptions{Progress: step, Checkpoint: cp}, done)
			}
			return f.run(cmd, toRead, func(p place, _ *store.Scope) error {
				tenants := []string{f.principal.Tenant}
				if !cmd.Flags().Changed("tenant") {
					if tenants, err = p.tenants(cmd.Context()); err != nil {
						return err
					}
					if cp != nil && !slices.Contains(tenants, cp.Tenant) {
						tenants = append(tenants, cp.Tenant)
					}
					if len(tenants) == 0 {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: the store is empty: there is no audit trail\n", f)
						return errProblems
					}
				}
				broken := false
				for _, tenant := range tenants {
					ok, err := f.verifyTenant(cmd, f.scope(p, tenant), cp)
					if err != nil {
						return err
					}
					broken = broken || !ok
				}
				if broken {
					return errProblems
				}
				return nil
			})
		},
	}
	known.add(cmd)
	cmd.Flags().StringVar(&export, "export", "", "check this file instead of a store")
	return cmd
}

// verifyTenant prints what is to be said of a tenant's trail, and tells whether it
// is there and intact.
func (f *dbFlags) verifyTenant(cmd *cobra.Command, s *store.Scope, cp *store.Checkpoint) (ok bool, err error) {
	step, done := f.progress(cmd, "verify")
	o := &store.VerifyOptions{Progress: step}
	tenant := s.Principal().Tenant
	if cp != nil && (cp.Tenant == tenant || cmd.Flags().Changed("tenant")) {
		o.Checkpoint = cp
	}
	r, err := s.Verify(cmd.Context(), o)
	if err == nil && r.Entries > 0 {
		err = documents.NewLibrary(s).Verify(cmd.Context())
	}
	done()
	broken, isBroken := errors.AsType[*store.ChainError](err)
	out := cmd.OutOrStdout()
	switch {
	case isBroken:
		fmt.Fprintf(out, "%s: %v\n", f, broken)
		return false, nil
	case errors.Is(err, store.ErrCorrupt):
		fmt.Fprintf(out, "%s: tenant %q: %v\n", f, tenant, err)
		return false, nil
	case err != nil:
		return false, err
	case r.Entries == 0:
		fmt.Fprintf(out, "%s: tenant %q has no audit trail\n", f, tenant)
		return false, nil
	}
	fmt.Fprintf(out, "%s: the audit trail of tenant %q is intact: %d entries, %d records, %d blobs, %d contents erased, last hash %v\n",
		f, tenant, r.Entries, r.Records, r.Blobs, r.Erased, r.Hash)
	return true, nil
}

func verifyFile(cmd *cobra.Command, name string, o *store.VerifyOptions, done func()) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := store.VerifyExport(in, o)
	done()
	out := cmd.OutOrStdout()
	if broken, ok := errors.AsType[*store.ChainError](err); ok {
		fmt.Fprintf(out, "%s: %v\n", name, broken)
		return errProblems
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	blobs := fmt.Sprintf("%d blobs", r.Blobs)
	if r.NoBlobs {
		blobs = "made without blobs"
	}
	if r.Entries == 0 {
		fmt.Fprintf(out, "%s: the export of tenant %q has no entries\n", name, r.Tenant)
		return errProblems
	}
	fmt.Fprintf(out, "%s: the audit trail of tenant %q is intact: %d entries, %s, %d contents erased, last hash %v\n",
		name, r.Tenant, r.Entries, blobs, r.Erased, r.Hash)
	if r.From > 1 && (o.Checkpoint == nil || o.Checkpoint.Seq < r.From-1) {
		fmt.Fprintf(out, "%s: it is a part that follows entry %d with the hash %v, which nothing here shows: compare it, or give a checkpoint\n", name, r.From-1, r.Prev)
	}
	return nil
}

func dbBackup(f *dbFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy a store in use, in one consistent state",
		Long: "Backup copies a SQLite store with all its tenants to a new file that is a store itself.\n" +
			"For a folder or PostgreSQL, use the tools for these, or \"isso db export --trail\".",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, toRead, func(p place, _ *store.Scope) error {
				if _, ok := p.Backend.(*sqlite.Backend); !ok {
					return fmt.Errorf("%s is not a SQLite store; isso db export --trail copies a tenant of any store", f)
				}
				if _, err := os.Stat(args[0]); err == nil {
					return fmt.Errorf("%s is there already", args[0])
				}
				if _, err := p.db.ExecContext(cmd.Context(), "VACUUM INTO ?", args[0]); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: copied to %s\n", f, args[0])
				return nil
			})
		},
	}
}

func dbKey() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "key NAME --out FILE",
		Short: "Make an Ed25519 key to sign checkpoints with",
		Long: "Key writes the private key to FILE, which nobody else may read, and the verifier key to\n" +
			"FILE.pub. NAME, such as audit.example.org, is part of both (C2SP signed note).",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return errors.New("--out is needed")
			}
			skey, vkey, err := note.GenerateKey(rand.Reader, args[0])
			if err != nil {
				return err
			}
			if _, err := note.NewVerifier(vkey); err != nil {
				return fmt.Errorf("the name %q: %w", args[0], err)
			}
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			_, err = io.WriteString(f, skey+"\n")
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			if err := os.WriteFile(out+".pub", []byte(vkey+"\n"), 0o644); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), vkey)
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file for the private key")
	return cmd
}

func dbCheckpoint(f *dbFlags) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "checkpoint --key FILE",
		Short: "Sign the end of the audit trail, to be kept elsewhere",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := os.ReadFile(key)
			if err != nil {
				return err
			}
			signer, err := note.NewSigner(strings.TrimSpace(string(text)))
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			return f.run(cmd, toRead, func(_ place, s *store.Scope) error {
				signed, err := s.Checkpoint(cmd.Context(), signer)
				if err != nil {
					return err
				}
				_, err = cmd.OutOrStdout().Write(signed)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file with the private key")
	return cmd
}
