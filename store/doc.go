// Package store keeps the records of a governance tool in whatever database it
// has already: with revisions, transactions, the history of every record, and an
// audit trail that shows whether somebody rewrote the past.
//
// # Opening
//
// [New] makes a [Store] on a back end: packages store/memory, store/file,
// store/sqlite and store/postgres, or an own implementation of the few methods of
// package store/driver, which package store/storetest proves. The SQL back ends
// take the program's *sql.DB and make their tables in it.
//
//	st := store.New(memory.New(nil), nil)
//	scope := st.Scope(store.Principal{Tenant: "acme", Actor: "p.meyer", Reason: "yearly review"})
//	risks := store.NewCollection(scope, "risks", func(r Risk) string { return r.ID }, nil)
//
// # Records
//
// A [Collection] keeps values of one Go type. What is read, changed and written
// back goes through [Collection.Swap] with the revision that was read, so that no
// update is lost. [Scope.Update] makes changes to several collections one commit.
// [Collection.Query] and [Collection.Page] find records by declared attributes.
// [Collection.History] and [Collection.At] look into the past. A tenant sees
// nothing of another.
//
// A domain package does not import this one. It declares the methods that it
// needs, and a Collection has them:
//
//	type Store interface {
//		Get(ctx context.Context, id string) (Risk, error)
//		Swap(ctx context.Context, r Risk, revision int64) (int64, error)
//		All(ctx context.Context) iter.Seq2[Risk, error]
//	}
//
// # Audit trail
//
// Every change appends an [Entry] in the same transaction. The entries of a
// tenant are a hash chain, which [Scope.Verify] walks, and [VerifyExport] walks
// without the database. A [Checkpoint], signed and kept elsewhere, guards the end
// of the chain. Attributes are not in it: they are made of the contents, and
// [Collection.CheckIndex] says whether they are the right ones.
//
// What is stored under a key is what the audit trail holds of its last version:
// the entry, its hash, and the content in canonical JSON (RFC 8785). Numbers that
// are not exact as IEEE 754 doubles are refused, so that nothing is changed by
// storing it.
package store
