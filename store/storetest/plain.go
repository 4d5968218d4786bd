package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkPlain measures what a program does that writes the same rows with
// database/sql alone: the record, its attribute, the history and a hash-chained
// audit entry with the content, in one transaction, with prepared statements; and
// one that reads a record and decodes it. numbered is for $1 in the place of ?.
//
// It checks no revision, locks no tenant and verifies nothing: it is the floor.
func BenchmarkPlain(b *testing.B, db *sql.DB, numbered bool) {
	ctx := b.Context()
	bytes := "BLOB"
	q := func(s string) string {
		if !numbered {
			return s
		}
		for i := 1; strings.Contains(s, "?"); i++ {
			s = strings.Replace(s, "?", fmt.Sprintf("$%d", i), 1)
		}
		return s
	}
	if numbered {
		bytes = "bytea"
	}
	exec := func(s string, args ...any) {
		_, err := db.ExecContext(ctx, q(s), args...)
		require.NoError(b, err)
	}
	exec("CREATE TABLE plain_record (tenant text, collection text, key text, revision bigint, data " + bytes + ", PRIMARY KEY (tenant, collection, key))")
	exec("CREATE TABLE plain_attr (tenant text, collection text, attr text, value text, key text, PRIMARY KEY (tenant, collection, attr, value, key))")
	exec("CREATE TABLE plain_history (tenant text, collection text, key text, revision bigint, seq bigint, PRIMARY KEY (tenant, collection, key, revision))")
	exec("CREATE TABLE plain_audit (tenant text, seq bigint, entry " + bytes + ", PRIMARY KEY (tenant, seq))")
	prepare := func(s string) *sql.Stmt {
		st, err := db.PrepareContext(ctx, q(s))
		require.NoError(b, err)
		b.Cleanup(func() { st.Close() })
		return st
	}
	last := prepare("SELECT seq, entry FROM plain_audit WHERE tenant = ? ORDER BY seq DESC LIMIT 1")
	old := prepare("SELECT revision FROM plain_record WHERE tenant = ? AND collection = ? AND key = ?")
	upsert := prepare("INSERT INTO plain_record (tenant, collection, key, revision, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, collection, key) DO UPDATE SET revision = excluded.revision, data = excluded.data")
	attr := prepare("INSERT INTO plain_attr (tenant, collection, attr, value, key) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
	history := prepare("INSERT INTO plain_history (tenant, collection, key, revision, seq) VALUES (?, ?, ?, ?, ?)")
	audit := prepare("INSERT INTO plain_audit (tenant, seq, entry) VALUES (?, ?, ?)")
	get := prepare("SELECT data FROM plain_record WHERE tenant = ? AND collection = ? AND key = ?")

	put := func(ctx context.Context, p Payload) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
		data, err := json.Marshal(p)
		if err != nil {
			return err
		}
		var seq, revision int64
		var entry []byte
		if err := tx.StmtContext(ctx, last).QueryRowContext(ctx, "t").Scan(&seq, &entry); err != nil && err != sql.ErrNoRows {
			return err
		}
		if err := tx.StmtContext(ctx, old).QueryRowContext(ctx, "t", "payloads", p.ID).Scan(&revision); err != nil && err != sql.ErrNoRows {
			return err
		}
		prev := sha256.Sum256(entry)
		entry, err = json.Marshal(map[string]any{"seq": seq + 1, "actor": "bench", "key": p.ID, "revision": revision + 1, "prev": fmt.Sprintf("%x", prev), "payload": json.RawMessage(data)})
		if err != nil {
			return err
		}
		for _, s := range []struct {
			stmt *sql.Stmt
			args []any
		}{
			{upsert, []any{"t", "payloads", p.ID, revision + 1, data}},
			{attr, []any{"t", "payloads", "owner", p.Owner, p.ID}},
			{history, []any{"t", "payloads", p.ID, revision + 1, seq + 1}},
			{audit, []any{"t", seq + 1, entry}},
		} {
			if _, err := tx.StmtContext(ctx, s.stmt).ExecContext(ctx, s.args...); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	n := 0
	b.Run("Create", func(b *testing.B) {
		from := n
		for b.Loop() {
			require.NoError(b, put(b.Context(), NewPayload(n)))
			n++
		}
		perSecond(b, n-from)
	})
	b.Run("Put", func(b *testing.B) {
		i := 0
		for b.Loop() {
			require.NoError(b, put(b.Context(), NewPayload(i%n)))
			i++
		}
		perSecond(b, i)
	})
	b.Run("Get", func(b *testing.B) {
		i := 0
		for b.Loop() {
			var data []byte
			var p Payload
			require.NoError(b, get.QueryRowContext(b.Context(), "t", "payloads", NewPayload(i*7%n).ID).Scan(&data))
			require.NoError(b, json.Unmarshal(data, &p))
			i++
		}
		perSecond(b, i)
	})
	b.Run("List", func(b *testing.B) {
		i := 0
		for b.Loop() {
			rows, err := db.QueryContext(b.Context(), q("SELECT data FROM plain_record WHERE tenant = ? AND collection = ? ORDER BY key"), "t", "payloads")
			require.NoError(b, err)
			for rows.Next() {
				var data []byte
				var p Payload
				require.NoError(b, rows.Scan(&data))
				require.NoError(b, json.Unmarshal(data, &p))
				i++
			}
			require.NoError(b, rows.Err())
			rows.Close()
		}
		perSecond(b, i)
	})
}
