package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/documents"
)

func dbRun(t *testing.T, args ...string) string {
	t.Helper()
	status, out, err := isso(t, "", append([]string{"db", "--actor", "p01", "--reason", "review"}, args...)...)
	require.Equal(t, 0, status, err)
	require.Empty(t, err)
	return out
}

// hashes and times change with the clock.
var volatile = regexp.MustCompile(`sha256:[0-9a-f]{64}|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// postgresSchema returns the URL of a database with a schema of its own.
func postgresSchema(t *testing.T) string {
	t.Helper()
	base := os.Getenv("ISSOKIT_POSTGRES")
	if base == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is needed here: set ISSOKIT_POSTGRES to a URL, as .ci/postgres prints it")
		}
		t.Skip("SKIPPED, NOTHING TESTED: no PostgreSQL (set ISSOKIT_POSTGRES to a URL, as .ci/postgres prints it)")
	}
	name := fmt.Sprintf("isso_%d", os.Getpid())
	exec := func(ctx context.Context, statement string) {
		db, err := sql.Open("pgx", base)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(ctx, statement)
		require.NoError(t, err)
	}
	exec(t.Context(), "CREATE SCHEMA "+name)
	t.Cleanup(func() { exec(context.Background(), "DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(base)
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), "secret") // which trust authentication does not look at
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestDB(t *testing.T) {
	for _, kind := range []string{"isso.db", "store/", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			inFolder(t)
			place, shown := kind, kind
			if kind == "postgres" {
				place = postgresSchema(t)
				shown = strings.Replace(place[:strings.Index(place, "?")], "secret", "xxxxx", 1)
			}
			db := []string{"--db", place}
			run := func(args ...string) string { t.Helper(); return dbRun(t, append(args, db...)...) }

			status, _, err := isso(t, "", "db", "log", "--db", place)
			require.Equal(t, 2, status)
			require.Contains(t, err, "isso db init makes")
			require.NotContains(t, err, "secret")
			require.Equal(t, shown+": ready\n", run("init"))
			require.Equal(t, shown+": ready\n", run("init"))
			require.Equal(t, "good: catalog \"yes\", version 1.10, revision 1\n", run("import", "good.json"))
			require.Equal(t, "good: unchanged, revision 1\n", run("import", "good.json"))
			require.NoError(t, os.Mkdir("more", 0o700))
			text := strings.Replace(good, "1.10", "1.11", 1)
			require.NoError(t, os.WriteFile("more/good.json", []byte(text), 0o600))
			require.NoError(t, os.WriteFile("more/readme.txt", []byte("no document"), 0o600))
			require.Equal(t, "good: catalog \"yes\", version 1.11, revision 2\n", run("import", "more"))

			// All or none.
			require.NoError(t, os.WriteFile("other.json", []byte(good), 0o600))
			status, out, err := isso(t, "", append([]string{"db", "import", "other.json", "bad.json"}, db...)...)
			require.Equal(t, 1, status)
			require.Empty(t, out)
			require.Contains(t, err, `bad.json:1:20: expected a uuid`)

			log := run("log")
			require.Equal(t, "1  *  p01  blob ~blob/* revision 1 (\"review\")\n2  *  p01  put documents/good revision 1 (\"review\")\n"+
				"3  *  p01  blob ~blob/* revision 1 (\"review\")\n4  *  p01  put documents/good revision 2 (\"review\")\n", volatile.ReplaceAllString(log, "*"))
			require.Contains(t, run("log", "--json", "--from", "4"), `"revision": 2`)

			require.Equal(t, "out/good.json\n", run("export", "--out", "out"))
			back, readErr := os.ReadFile("out/good.json")
			require.NoError(t, readErr)
			require.Equal(t, text, string(back))
			status, _, err = isso(t, "", append([]string{"db", "export", "--out", "out", "none"}, db...)...)
			require.Equal(t, []any{2, "isso: there is no document none\n"}, []any{status, err})

			require.Equal(t, shown+": the audit trail of tenant \"\" is intact: 4 entries, 1 records, 2 blobs, 0 contents erased, last hash *\n",
				volatile.ReplaceAllString(run("verify"), "*"))

			vkey := dbRun(t, "key", "audit.example.org", "--out", "key")
			require.Contains(t, vkey, "audit.example.org+")
			require.NoError(t, os.WriteFile("checkpoint", []byte(run("checkpoint", "--key", "key")), 0o600))
			run("verify", "--checkpoint", "checkpoint", "--key", "key.pub")

			run("export", "--trail", "trail.jsonl")
			require.Contains(t, dbRun(t, "verify", "--export", "trail.jsonl", "--checkpoint", "checkpoint", "--key", "key.pub"), "is intact: 4 entries, 2 blobs")
			dbRun(t, "init", "--db", "copy.db")
			require.Equal(t, "trail.jsonl: 4 entries, 2 blobs, up to entry 4\n", dbRun(t, "import", "trail.jsonl", "--db", "copy.db"))
			require.Equal(t, log, dbRun(t, "log", "--db", "copy.db"))
			require.Equal(t, "good: unchanged, revision 2\n", dbRun(t, "import", "more", "--db", "copy.db"))

			if kind != "isso.db" { // whose backup is tested with tampering
				status, _, err = isso(t, "", append([]string{"db", "backup", "backup.db"}, db...)...)
				require.Equal(t, []any{2, "isso: " + shown + " is not a SQLite store; isso db export --trail copies a tenant of any store\n"}, []any{status, err})
			}

			trail, readErr := os.ReadFile("trail.jsonl")
			require.NoError(t, readErr)
			require.NoError(t, os.WriteFile("trail.jsonl", []byte(strings.Replace(string(trail), "review", "Review", 1)), 0o600))
			status, out, _ = isso(t, "", "db", "verify", "--export", "trail.jsonl")
			require.Equal(t, 1, status)
			require.Equal(t, "trail.jsonl: audit trail of tenant \"\": entry 1: the stored hash is not that of the entry\n", out)
		})
	}
}

// TestDBForeign: only init makes tables in a database of somebody else, or a store
// of a folder.
func TestDBForeign(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.Mkdir("folder", 0o700))
	code, _, msg := isso(t, "", "db", "log", "--db", "folder")
	require.Equal(t, 2, code)
	require.Contains(t, msg, "folder holds no store: ")
	entries, err := os.ReadDir("folder")
	require.NoError(t, err)
	require.Empty(t, entries)
	db, err := sql.Open("sqlite", "other.db")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE own (x)")
	require.NoError(t, err)
	status, _, text := isso(t, "", "db", "import", "good.json", "--db", "other.db")
	require.Equal(t, 2, status)
	require.Contains(t, text, "other.db holds no store: ")
	tables := func() (n int) {
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE type = 'table'").Scan(&n))
		return n
	}
	require.Equal(t, 1, tables())
	dbRun(t, "init", "--db", "other.db")
	dbRun(t, "import", "good.json", "--db", "other.db")
	require.Equal(t, 4, tables())
}

// Every document of a folder is stored, and none in place of another; any name
// can be exported.
func TestDBFiles(t *testing.T) {
	inFolder(t)
	dbRun(t, "init")
	require.NoError(t, os.MkdirAll("more/below", 0o700))
	require.NoError(t, os.WriteFile("more/first.json", []byte(good), 0o600))
	require.NoError(t, os.WriteFile("more/below/a b.json", []byte(good), 0o600))
	require.Equal(t, "a b: catalog \"yes\", version 1.10, revision 1\nfirst: catalog \"yes\", version 1.10, revision 1\n", dbRun(t, "import", "more"))
	for _, tt := range []struct{ name, args, want string }{
		{"two files of a name", "more more/first.json", "isso: more/first.json and more/first.json would both be stored as \"first\"; import one of them\n"},
		{"nothing to import", "more/empty", "isso: more/empty: there is no document (.json, .yaml, .yml, .xml) in this folder\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.MkdirAll("more/empty", 0o700))
			status, out, err := isso(t, "", append([]string{"db", "import"}, strings.Fields(tt.args)...)...)
			require.Equal(t, []any{2, "", tt.want}, []any{status, out, err})
		})
	}

	st, openErr := (&dbFlags{place: "isso.db"}).open(t.Context(), toWrite)
	require.NoError(t, openErr)
	library := documents.NewLibrary(store.New(st, nil).Scope(store.Principal{Actor: "p01"}))
	for _, name := range []string{"../up", "nul\\:", ".hidden", "100%"} {
		_, _, err := library.Put(t.Context(), name, []byte(good), 0)
		require.NoError(t, err)
	}
	require.NoError(t, st.Close())
	require.Equal(t, `out/%2E.%2Fup.json
out/%2Ehidden.json
out/100%25.json
out/a b.json
out/first.json
out/nul%5C%3A.json
`, dbRun(t, "export", "--out", "out"))
}

func TestPrintable(t *testing.T) {
	require.Equal(t, "Zoë O'Hara", printable("Zoë O'Hara"))
	require.Equal(t, `"\x1b[31m2  fake\n"`, printable("\x1b[31m2  fake\n"))
}

// TestDBVerifyTampered changes a SQLite store behind the program's back.
func TestDBVerifyTampered(t *testing.T) {
	inFolder(t)
	dbRun(t, "init")
	dbRun(t, "import", "good.json")
	require.Equal(t, "isso.db: copied to backup.db\n", dbRun(t, "backup", "backup.db"))
	status, _, err := isso(t, "", "db", "backup", "backup.db")
	require.Equal(t, []any{2, "isso: backup.db is there already\n"}, []any{status, err})
	dbRun(t, "verify", "--db", "backup.db")

	db, openErr := sql.Open("sqlite", "isso.db")
	require.NoError(t, openErr)
	defer db.Close()
	const blob = "~blob \"*\""
	for _, tt := range []struct{ name, statement, want string }{
		{
			"actor of an entry", `UPDATE issokit_record SET data = CAST(replace(CAST(data AS TEXT), 'p01', 'p02') AS BLOB) WHERE collection = '~audit'`,
			"entry 1: the stored hash is not that of the entry",
		},
		{
			"title of a document", `UPDATE issokit_record SET data = CAST(replace(CAST(data AS TEXT), '"yes"', '"no"') AS BLOB) WHERE collection = 'documents'`,
			"entry 2: the stored bytes are not what this package writes: the content does not fit its digest * (documents \"good\")",
		},
		{"record removed", `DELETE FROM issokit_record WHERE collection = 'documents'`, "entry 2: the record is missing (documents \"good\")"},
		{"trail removed", `DELETE FROM issokit_record WHERE collection = '~audit'`, "entry 1: it is missing: the checkpoint knows entries up to 2"},
		{"all given to another tenant", `UPDATE issokit_record SET tenant = 'u'`, "audit trail of tenant \"u\": entry 1: the entry is one of tenant \"\""},
		{"text removed", `DELETE FROM issokit_record WHERE collection = '~blob'`, "entry 1: the blob is missing (" + blob + ")"},
		{
			"record in another collection", `INSERT INTO issokit_record SELECT tenant, 'fresh', key, revision, attrs, data FROM issokit_record WHERE collection = 'documents'`,
			"entry 0: a record that the trail does not know, or says is deleted (fresh \"good\")",
		},
		{
			"record that nothing finds", `UPDATE issokit_record SET key = CAST(key AS BLOB) WHERE collection = 'documents'`,
			"entry 2: * expected text, found []uint8 (documents \"good\")",
		},
		{"damaged revision", `UPDATE issokit_record SET revision = 'abc' WHERE collection = 'documents'`, "entry 2: *(documents \"good\")"},
		{"damaged attributes", `UPDATE issokit_record SET attrs = x'ff' WHERE collection = 'documents'`, "entry 2: *(documents \"good\")"},
		{"damaged entry", `UPDATE issokit_record SET revision = 'abc' WHERE collection = '~audit' AND key LIKE '%2'`, "entry 2: *"},
		{"history not found", `DELETE FROM issokit_attr WHERE collection = '~audit' AND key LIKE '%2'`, "entry 2: the index does not find it by its attribute record *"},
		{
			"document not found", `DELETE FROM issokit_attr WHERE collection = 'documents' AND attr = 'model'`,
			"entry 0: the index does not find it by its attribute model \"catalog\" (documents \"good\")",
		},
		{
			"document found by what it is not", `INSERT INTO issokit_attr VALUES ('', 'documents', 'control', 'ac-1', 'good')`,
			"entry 0: the index finds it by the attribute control \"ac-1\", which it does not have (documents \"good\")",
		},
		{
			"document found by nothing", `UPDATE issokit_record SET attrs = NULL WHERE collection = 'documents'; DELETE FROM issokit_attr WHERE collection = 'documents'`,
			"documents: the stored bytes are not what this package writes: 1 documents are not found by what they hold",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, copyFile("backup.db", "tampered.db"))
			tampered, openErr := sql.Open("sqlite", "tampered.db")
			require.NoError(t, openErr)
			_, execErr := tampered.ExecContext(t.Context(), tt.statement)
			require.NoError(t, execErr)
			changes := 0
			require.NoError(t, tampered.QueryRowContext(t.Context(), "SELECT total_changes()").Scan(&changes))
			require.Positive(t, changes)
			require.NoError(t, tampered.Close())
			args := []string{"db", "verify", "--db", "tampered.db"}
			if strings.Contains(tt.want, "checkpoint") {
				_ = os.Remove("key")
				dbRun(t, "key", "audit.example.org", "--out", "key")
				require.NoError(t, os.WriteFile("checkpoint", []byte(dbRun(t, "checkpoint", "--key", "key")), 0o600))
				args = append(args, "--checkpoint", "checkpoint", "--key", "key.pub")
			}
			status, out, err := isso(t, "", args...)
			require.Equal(t, []any{1, ""}, []any{status, err})
			want := tt.want
			switch {
			case strings.HasPrefix(want, "entry"):
				want = `audit trail of tenant "": ` + want
			case strings.HasPrefix(want, "documents"):
				want = `tenant "": ` + want
			}
			line, _, _ := strings.Cut(volatile.ReplaceAllString(out, "*"), "\n")
			begin, end, some := strings.Cut("tampered.db: "+want, "*")
			require.True(t, line == begin || some && strings.HasPrefix(line, begin) && strings.HasSuffix(line, end), "%s", out)
		})
	}
}

// TestDBVerifyNothing: what holds no trail is not intact.
func TestDBVerifyNothing(t *testing.T) {
	inFolder(t)
	dbRun(t, "init")
	verify := func(args ...string) (int, string) {
		status, out, err := isso(t, "", append([]string{"db", "verify"}, args...)...)
		require.NotContains(t, out+err, "intact")
		return status, out + err
	}
	status, out := verify()
	require.Equal(t, []any{1, "isso.db: the store is empty: there is no audit trail\n"}, []any{status, out})
	dbRun(t, "import", "good.json", "--tenant", "acme")
	dbRun(t, "import", "good.json", "--tenant", "bolt")
	status, out = verify("--tenant", "amce")
	require.Equal(t, []any{1, "isso.db: tenant \"amce\" has no audit trail\n"}, []any{status, out})
	require.Equal(t, "isso.db: the audit trail of tenant \"acme\" is intact: 2 entries, 1 records, 1 blobs, 0 contents erased, last hash *\n"+
		"isso.db: the audit trail of tenant \"bolt\" is intact: 2 entries, 1 records, 1 blobs, 0 contents erased, last hash *\n",
		volatile.ReplaceAllString(dbRun(t, "verify"), "*"))
	require.Equal(t, 1, strings.Count(dbRun(t, "verify", "--tenant", "bolt"), "\n"))

	require.NoError(t, os.WriteFile("empty.db", nil, 0o600))
	require.NoError(t, os.Mkdir("folder", 0o700))
	for _, place := range []string{"empty.db", "folder", "none.db", "none/"} {
		status, out := verify("--db", place)
		require.Equal(t, 2, status, place)
		require.Contains(t, out, "isso db init", place)
	}
	info, err := os.Stat("empty.db")
	require.NoError(t, err)
	require.Zero(t, info.Size())
	left, err := os.ReadDir("folder")
	require.NoError(t, err)
	require.Empty(t, left)

	dbRun(t, "export", "--tenant", "none", "--trail", "nothing")
	status, out = verify("--export", "nothing")
	require.Equal(t, []any{1, "nothing: the export of tenant \"none\" has no entries\n"}, []any{status, out})
}

// TestDBVerifyOnly: what is verified stays as it is, also where nothing can be
// written.
func TestDBVerifyOnly(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.Mkdir("evidence", 0o700))
	dbRun(t, "init")
	dbRun(t, "import", "good.json")
	dbRun(t, "backup", "evidence/copy.db") // in rollback mode
	require.NoError(t, copyFile("isso.db", "evidence/wal.db"))
	hash := func(name string) store.Digest {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		return store.DigestOf(data)
	}
	before := []store.Digest{hash("evidence/copy.db"), hash("evidence/wal.db")}
	check := func() {
		for _, name := range []string{"evidence/copy.db", "evidence/wal.db"} {
			require.Contains(t, dbRun(t, "verify", "--db", name), "is intact: 2 entries")
			require.Contains(t, dbRun(t, "log", "--db", name), "put documents/good")
		}
		require.Equal(t, before, []store.Digest{hash("evidence/copy.db"), hash("evidence/wal.db")})
	}
	check()
	readOnlyFolder(t, "evidence")
	check()
	require.NoError(t, os.WriteFile("good.json", []byte(strings.Replace(good, "1.10", "1.11", 1)), 0o600))
	status, _, err := isso(t, "", "db", "import", "good.json", "--db", "evidence/copy.db")
	require.Equal(t, 2, status, err)
}

// readOnlyFolder takes the right to write in a folder. The superuser has it
// everywhere but on a read-only mount.
func readOnlyFolder(t *testing.T, folder string) {
	if os.Getuid() != 0 {
		require.NoError(t, os.Chmod(folder, 0o500))
		t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
		return
	}
	mount := func(args ...string) {
		if out, err := exec.CommandContext(t.Context(), "mount", args...).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED, NOTHING TESTED: cannot mount: %s", out)
		}
	}
	mount("--bind", folder, folder)
	t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "umount", folder).Run() })
	mount("-o", "remount,bind,ro", folder)
}

// TestDBOldSchema: only init brings an old store up to date.
func TestDBOldSchema(t *testing.T) {
	inFolder(t)
	dbRun(t, "init")
	dbRun(t, "import", "good.json")
	db, err := sql.Open("sqlite", "isso.db")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "DROP TABLE issokit_attr; UPDATE issokit_meta SET value = 1")
	require.NoError(t, err)
	for _, args := range [][]string{{"log"}, {"verify"}, {"import", "good.json"}} {
		status, _, text := isso(t, "", append([]string{"db"}, args...)...)
		require.Equal(t, 2, status)
		require.Contains(t, text, "the tables have schema 1, this program needs 2")
	}
	dbRun(t, "init")
	require.Contains(t, dbRun(t, "log"), "put documents/good")
}

// TestDBImportCheckpoint: of an export that does not reach the checkpoint nothing is
// stored.
func TestDBImportCheckpoint(t *testing.T) {
	inFolder(t)
	dbRun(t, "init")
	dbRun(t, "import", "good.json")
	dbRun(t, "key", "audit.example.org", "--out", "key")
	dbRun(t, "export", "--trail", "early")
	dbRun(t, "import", "good.json", "--tenant", "other")
	require.NoError(t, os.WriteFile("good.json", []byte(strings.Replace(good, "1.10", "1.11", 1)), 0o600))
	dbRun(t, "import", "good.json")
	dbRun(t, "export", "--trail", "late")
	require.NoError(t, os.WriteFile("checkpoint", []byte(dbRun(t, "checkpoint", "--key", "key")), 0o600))
	dbRun(t, "init", "--db", "copy.db")
	status, _, text := isso(t, "", "db", "import", "early", "--db", "copy.db", "--checkpoint", "checkpoint", "--key", "key.pub")
	require.Equal(t, 1, status, text)
	require.Empty(t, dbRun(t, "log", "--db", "copy.db"))
	dbRun(t, "import", "late", "--db", "copy.db", "--checkpoint", "checkpoint", "--key", "key.pub")
	dbRun(t, "verify", "--db", "copy.db", "--checkpoint", "checkpoint", "--key", "key.pub")
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
