package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A Checkpoint is the end of an audit trail at some time. Kept where those who
// can change the database cannot, it shows later that the trail was cut off or
// written anew.
type Checkpoint struct {
	Origin string // name of the key that signs
	Tenant string
	Seq    int64
	Hash   Digest
}

// text has three lines: origin and tenant, sequence number, hash in base64. The
// form is that of the checkpoint of a transparency log, but the hash is the end
// of a chain and not the root of a Merkle tree.
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s/%s\n%d\n%s\n", c.Origin, c.Tenant, c.Seq, base64.StdEncoding.EncodeToString(c.Hash[:]))
}

// Checkpoint returns the end of the tenant's audit trail, signed as a C2SP
// signed note (golang.org/x/mod/sumdb/note, Ed25519). [OpenCheckpoint] reads it.
// What is signed are bytes like others: a time stamp (RFC 3161) or the entry of a
// transparency log can be had for their hash, and says that they existed by then.
func (s *Scope) Checkpoint(ctx context.Context, signer note.Signer) ([]byte, error) {
	var h head
	err := s.in(ctx, false, func(tx *Tx) (err error) {
		h, err = tx.loadHead(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	c := Checkpoint{signer.Name(), s.p.Tenant, h.seq, h.hash}
	msg, err := note.Sign(&note.Note{Text: c.text()}, signer)
	if err != nil {
		return nil, s.error("checkpoint", err)
	}
	return msg, nil
}

// OpenCheckpoint reads a checkpoint that was signed with the verifier's key. The
// error matches [ErrInvalid] if the signature or the text is wrong.
func OpenCheckpoint(signed []byte, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, &Error{Op: "open checkpoint", Err: fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	c := Checkpoint{Origin: v.Name()}
	lines := strings.Split(n.Text, "\n")
	if len(lines) == 4 {
		var ok bool
		c.Tenant, ok = strings.CutPrefix(lines[0], c.Origin+"/")
		seq, err1 := strconv.ParseInt(lines[1], 10, 64)
		hash, err2 := base64.StdEncoding.DecodeString(lines[2])
		c.Seq = seq
		if copy(c.Hash[:], hash) == len(c.Hash) && ok && err1 == nil && err2 == nil && c.text() == n.Text {
			return c, nil
		}
	}
	return Checkpoint{}, &Error{Op: "open checkpoint", Err: invalid("expected the lines %s/TENANT, sequence number, hash in base64, found %.200q", c.Origin, n.Text)}
}
