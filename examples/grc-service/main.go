// Command grc-service shows how a governance tool embeds the library: a small
// HTTP service with a risk register, OSCAL documents and a plan of action and
// milestones, over a SQLite database, with history and audit trail.
//
//	go run ./examples/grc-service -db grc.db -tokens tokens.json
//
// Tokens.json says who may come in: {"a long secret": {"tenant": "acme", "actor":
// "p.meyer"}}. A request carries a token as "Authorization: Bearer ...", and the
// reason for a change, if there is one to say, in X-Reason.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	_ "modernc.org/sqlite" // driver

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("grc-service", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("db", "grc.db", "SQLite file")
	listen := flags.String("listen", "127.0.0.1:8080", "address")
	tokens := flags.String("tokens", "tokens.json", "file that says who may come in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	principals, err := readTokens(*tokens)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(*file)}).String())
	if err != nil {
		return err
	}
	defer db.Close()
	backend, err := sqlite.New(ctx, db, nil)
	if err != nil {
		return err
	}
	defer backend.Close()

	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           newService(store.New(backend, nil), principals, time.Now),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
	}
	fmt.Fprintf(stdout, "http://%s\n", l.Addr())
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		done <- server.Shutdown(end)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}

// principal is who a token belongs to.
type principal struct {
	Tenant string `json:"tenant"`
	Actor  string `json:"actor"`
}

func readTokens(name string) (map[string]principal, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	principals := map[string]principal{}
	if err := json.Unmarshal(text, &principals); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for token, p := range principals {
		if len(token) < 16 || p.Actor == "" {
			return nil, fmt.Errorf("%s: a token needs at least 16 characters and an actor", name)
		}
	}
	return principals, nil
}
