//go:build unix

package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReplace: what -o names stays what it is.
func TestReplace(t *testing.T) {
	convert := func(t *testing.T, out string) string {
		t.Helper()
		status, printed, errs := isso(t, "", "convert", "good.json", "--to", "yaml", "-o", out)
		require.Equal(t, []any{0, "", ""}, []any{status, printed, errs})
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		entries, err := filepath.Glob(".isso-*")
		require.NoError(t, err)
		require.Empty(t, entries, "temporary files")
		return string(text)
	}
	mode := func(t *testing.T, name string) fs.FileMode {
		t.Helper()
		info, err := os.Lstat(name)
		require.NoError(t, err)
		return info.Mode()
	}
	inFolder(t)
	want := convert(t, "new.yaml")
	require.True(t, strings.HasPrefix(want, "catalog:\n"))

	t.Run("mode", func(t *testing.T) {
		for _, m := range []fs.FileMode{0o600, 0o640, 0o666, 0o755} {
			require.NoError(t, os.WriteFile("private.yaml", []byte(strings.Repeat("old", 10_000)), 0o600))
			require.NoError(t, os.Chmod("private.yaml", m))
			require.Equal(t, want, convert(t, "private.yaml"))
			require.Equal(t, m, mode(t, "private.yaml"))
		}
	})
	t.Run("mask of a new file", func(t *testing.T) {
		old := syscall.Umask(0o077)
		defer syscall.Umask(old)
		convert(t, "masked.yaml")
		require.Equal(t, fs.FileMode(0o600), mode(t, "masked.yaml"))
	})
	t.Run("owner", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only the superuser may give files away")
		}
		require.NoError(t, os.WriteFile("owned.yaml", nil, 0o644))
		require.NoError(t, os.Chown("owned.yaml", 1234, 4321))
		require.Equal(t, want, convert(t, "owned.yaml"))
		info, err := os.Stat("owned.yaml")
		require.NoError(t, err)
		st := info.Sys().(*syscall.Stat_t)
		require.Equal(t, []uint32{1234, 4321}, []uint32{st.Uid, st.Gid})
	})
	t.Run("links", func(t *testing.T) {
		require.NoError(t, os.MkdirAll("far/real", 0o700))
		require.NoError(t, os.WriteFile("far/real/there.yaml", []byte("old"), 0o600))
		require.NoError(t, os.Symlink("far/real", "folder"))
		for link, to := range map[string]string{
			"link.yaml": "far/real/there.yaml", "second.yaml": "link.yaml", "dangling.yaml": "far/real/absent.yaml",
			"far/real/up.yaml": "../up.yaml",
		} {
			require.NoError(t, os.Symlink(to, link))
		}
		for _, tt := range []struct{ name, file string }{
			{"link.yaml", "far/real/there.yaml"},
			{"second.yaml", "far/real/there.yaml"},
			{"dangling.yaml", "far/real/absent.yaml"},
			{"folder/up.yaml", "far/up.yaml"}, // not up.yaml, where the text of the paths leads
		} {
			require.NoError(t, os.RemoveAll("far/up.yaml"))
			require.Equal(t, want, convert(t, tt.name), tt.name)
			require.NotZero(t, mode(t, tt.name)&fs.ModeSymlink, tt.name)
			text, err := os.ReadFile(tt.file)
			require.NoError(t, err)
			require.Equal(t, want, string(text), tt.name)
		}
		require.Equal(t, fs.FileMode(0o600), mode(t, "far/real/there.yaml"))
		require.NoError(t, os.Symlink("round.yaml", "round.yaml"))
		status, _, errs := isso(t, "", "convert", "good.json", "-o", "round.yaml")
		require.Equal(t, []any{2, "isso: open round.yaml: too many symbolic links\n"}, []any{status, errs})
	})
	t.Run("pipe", func(t *testing.T) {
		require.NoError(t, syscall.Mkfifo("pipe", 0o600))
		read := make(chan []byte)
		go func() {
			text, _ := os.ReadFile("pipe")
			read <- text
		}()
		status, _, errs := isso(t, "", "convert", "good.json", "--to", "yaml", "-o", "pipe")
		require.Equal(t, []any{0, ""}, []any{status, errs})
		require.Equal(t, want, string(<-read))
		require.NotZero(t, mode(t, "pipe")&fs.ModeNamedPipe)
	})
	t.Run("device", func(t *testing.T) {
		if mode(t, os.DevNull)&fs.ModeCharDevice == 0 {
			t.Skip("no devices here")
		}
		require.NoError(t, os.Symlink(os.DevNull, "null.yaml")) // were it replaced, only the link would be
		status, _, errs := isso(t, "", "convert", "good.json", "-o", "null.yaml")
		require.Equal(t, []any{0, ""}, []any{status, errs})
		require.NotZero(t, mode(t, "null.yaml")&fs.ModeSymlink)
		require.NotZero(t, mode(t, os.DevNull)&fs.ModeCharDevice)
	})
	t.Run("folder", func(t *testing.T) {
		status, _, errs := isso(t, "", "convert", "good.json", "--to", "yaml", "-o", "far")
		require.Equal(t, []any{0, ""}, []any{status, errs})
		require.FileExists(t, "far/good.yaml")
	})
}

// fails is an output that takes some bytes and then none.
type fails struct {
	left int
	err  error
}

func (f *fails) Write(p []byte) (int, error) {
	if len(p) > f.left {
		return 0, f.err
	}
	f.left -= len(p)
	return len(p), nil
}

// TestOutputLost: no command ends well whose output was lost.
func TestOutputLost(t *testing.T) {
	inFolderWithProfiles(t)
	require.NoError(t, os.WriteFile("good.json", []byte(good), 0o600))
	require.NoError(t, os.WriteFile("bad.json", []byte(bad), 0o600))
	for _, args := range [][]string{
		{"validate", "good.json"},
		{"validate", "bad.json", "good.json"},
		{"validate", "--json", "good.json"},
		{"validate", "--format", "sarif", "good.json"},
		{"convert", "good.json"},
		{"inspect", "good.json"},
		{"inspect", "--json", "good.json"},
		{"diff", "good.json", "good.json"},
		{"query", "//title", "good.json"},
		{"list-allowed-values", "/catalog/metadata/party/@type"},
		{"resolve", "own/good.json", "--hide-source"},
		{"split", "catalog.json", "-o", filepath.Join(t.TempDir(), "split")},
		{"version"},
		{"help"},
		{"validate", "--help"},
	} {
		for _, tt := range []struct {
			name string
			err  error
			want string
		}{
			{"full", syscall.ENOSPC, "isso: write out: no space left on device\n"},
			{"closed", syscall.EPIPE, ""},
		} {
			for _, left := range []int{0, 5} {
				if args[0] == "split" && (tt.name == "closed" || left > 0) {
					continue // it has been split
				}
				var errs bytes.Buffer
				out := &fails{left, &fs.PathError{Op: "write", Path: "out", Err: tt.err}}
				status := run(args, strings.NewReader(""), out, &errs)
				require.Equal(t, 2, status, "%s %v", tt.name, args)
				require.True(t, strings.HasSuffix(errs.String(), tt.want) && strings.Contains(errs.String(), "isso:") == (tt.want != ""), "%s %v: %s", tt.name, args, errs.String())
			}
		}
	}
}
