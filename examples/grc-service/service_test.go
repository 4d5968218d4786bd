package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/governance"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/sqlite"
)

var june = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

const (
	meyer   = "token-of-p.meyer-at-acme"
	schmidt = "token-of-schmidt-at-acme"
	ciso    = "token-of-the-ciso-at-acme"
	other   = "token-of-somebody-elsewhere"
)

// client speaks to a service on a new database.
type client struct {
	*testing.T
	url   string
	token string
	db    *sql.DB
}

func serve(t *testing.T) client {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "grc.db"))
	require.NoError(t, err)
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	now := june
	var mu sync.Mutex
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
	ids := 0
	newID := func() string {
		if ids++; ids == 1 {
			return "R-new"
		}
		return fmt.Sprintf("new-%d", ids)
	}
	st := store.New(b, &store.Options{Now: clock, NewID: newID})
	server := httptest.NewServer(newService(st, map[string]principal{
		meyer: {"acme", "p.meyer"}, schmidt: {"acme", "schmidt"}, ciso: {"acme", "ciso"}, other: {"elsewhere", "x"},
	}, func() time.Time { return june }))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, b.Close())
		require.NoError(t, db.Close())
	})
	return client{t, server.URL, meyer, db}
}

func (c client) as(token string) client { c.token = token; return c }

// do sends a request and returns the status, the body and the ETag. Headers are
// pairs.
func (c client) do(method, path string, body any, headers ...string) (int, string, string) {
	c.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	case string:
		r = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		require.NoError(c, err)
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(c.Context(), method, c.url+path, r)
	require.NoError(c, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(c, err)
	return resp.StatusCode, string(text), resp.Header.Get("ETag")
}

func (c client) ok(method, path string, body any, headers ...string) string {
	c.Helper()
	status, text, _ := c.do(method, path, body, headers...)
	require.Less(c, status, 300, text)
	return text
}

func phishing(id, owner string) risk.Risk {
	return risk.Risk{
		ID: id, Title: "Phishing of administrators", Description: "Administrators read mail where they administer.",
		Statement: "An attacker administers the system.", Owner: owner, Controls: []string{"ia-2"},
	}
}

func TestRegister(t *testing.T) {
	c := serve(t)
	status, _, tag := c.do("POST", "/risks", phishing("R-1", "operations"), "X-Reason", "workshop")
	require.Equal(t, []any{http.StatusCreated, `"1"`}, []any{status, tag})
	status, _, _ = c.do("POST", "/risks", phishing("R-1", "operations"))
	require.Equal(t, http.StatusConflict, status)
	c.ok("POST", "/risks", phishing("", "finance"))

	var list struct {
		Items []struct {
			Revision int
			Risk     risk.Risk
		}
		Next string
	}
	get := func(query string) []string {
		t.Helper()
		list.Items, list.Next = nil, ""
		require.NoError(t, json.Unmarshal([]byte(c.ok("GET", "/risks"+query, nil)), &list))
		ids := []string{}
		for _, i := range list.Items {
			ids = append(ids, i.Risk.ID)
		}
		return ids
	}
	require.Equal(t, []string{"R-1", "R-new"}, get(""))
	require.Equal(t, []string{"R-new"}, get("?owner=finance&state=identified"))
	require.Equal(t, []string{"R-new", "R-1"}, get("?order=owner"))
	require.Equal(t, []string{"R-1"}, get("?limit=1&control=ia-2"))
	require.Equal(t, []string{"R-new"}, get("?limit=1&control=ia-2&after="+list.Next))
	for _, query := range []string{"?order=nothing", "?limit=x", "?after=garbage", "?order=owner'--"} {
		status, text, _ := c.do("GET", "/risks"+query, nil)
		require.Equal(t, http.StatusBadRequest, status, text)
	}

	// Two have read revision 1; one wins.
	changed := phishing("R-1", "security")
	changed.State = risk.Identified
	status, _, tag = c.do("PUT", "/risks/R-1", changed, "If-Match", `"1"`, "X-Reason", "reorganization")
	require.Equal(t, []any{200, `"2"`}, []any{status, tag})
	status, _, _ = c.as(schmidt).do("PUT", "/risks/R-1", changed, "If-Match", `"1"`)
	require.Equal(t, http.StatusPreconditionFailed, status)
	status, _, _ = c.do("PUT", "/risks/R-1", changed)
	require.Equal(t, http.StatusPreconditionRequired, status)
	status, _, _ = c.do("PUT", "/risks/R-2", changed, "If-Match", `"1"`)
	require.Equal(t, http.StatusBadRequest, status)
	status, _, _ = c.do("PUT", "/risks/R-1", `{"id":"R-1","colour":"red"}`, "If-Match", `"2"`)
	require.Equal(t, http.StatusBadRequest, status)

	status, _, _ = c.do("PUT", "/risks/R-1", `{"id":"R-1"} {"id":"R-9"}`, "If-Match", `"2"`)
	require.Equal(t, http.StatusBadRequest, status)

	// The life cycle is the business of package risk: nobody writes an acceptance.
	for _, life := range []string{
		`"state":"accepted"`, `"state":"closed"`, `"log":[{"id":"x","at":"2026-01-01T00:00:00Z"}]`,
		`"acceptances":[{"id":"a-1","decision":"approved","decidedBy":"ciso"}]`, `"closure":{"reason":"resolved"}`,
	} {
		status, _, _ = c.do("PUT", "/risks/R-1", `{"id":"R-1","title":"Phishing",`+life+`}`, "If-Match", `"2"`)
		require.Equal(t, http.StatusBadRequest, status, life)
		status, _, _ = c.do("POST", "/risks", `{"id":"R-3","title":"Phishing",`+life+`}`)
		require.Equal(t, http.StatusBadRequest, status, life)
	}
	c.ok("PUT", "/risks/R-new", `{"id":"R-new","title":"Phishing"}`, "If-Match", `"1"`)
	require.Contains(t, c.ok("GET", "/risks/R-new", nil), `"state":"identified"`)
	status, text, tag := c.do("POST", "/risks/R-new/events", `{"Kind":"review"}`)
	require.Equal(t, []any{200, `"3"`}, []any{status, tag}, text)
	require.Contains(t, text, `"event":"review"`)
	status, text, _ = c.do("POST", "/risks/R-1/events", `{"Kind":"close"}`)
	require.Equal(t, http.StatusConflict, status, text)
	status, text, _ = c.do("POST", "/risks/none/events", `{"Kind":"analyse"}`)
	require.Equal(t, http.StatusNotFound, status, text)

	// A risk that comes again goes on with its revisions.
	_, _, tag = c.do("POST", "/risks", phishing("R 7/8", "finance"))
	require.Equal(t, `"1"`, tag)
	c.ok("DELETE", "/risks/R%207%2F8", nil, "If-Match", tag)
	_, _, tag = c.do("POST", "/risks", phishing("R 7/8", "finance"))
	require.Equal(t, `"2"`, tag)
	c.ok("DELETE", "/risks/R%207%2F8", nil, "If-Match", tag)

	// Another tenant sees nothing.
	status, _, _ = c.as(other).do("GET", "/risks/R-1", nil)
	require.Equal(t, http.StatusNotFound, status)
	status, _, _ = c.as("guessed").do("GET", "/risks/R-1", nil)
	require.Equal(t, http.StatusUnauthorized, status)

	status, _, _ = c.as(schmidt).do("DELETE", "/risks/R-1", nil, "If-Match", `"2"`)
	require.Equal(t, http.StatusNoContent, status)
	var history []versioned
	require.NoError(t, json.Unmarshal([]byte(c.ok("GET", "/risks/R-1/history", nil)), &history))
	var lines []string
	for _, v := range history {
		lines = append(lines, fmt.Sprintf("%d %v %s %q", v.Revision, v.Action, v.Actor, v.Reason))
	}
	require.Equal(t, []string{`2 delete schmidt ""`, `2 put p.meyer "reorganization"`, `1 put p.meyer "workshop"`}, lines)
	require.Contains(t, c.ok("GET", "/risks/R-1?at="+history[2].Time.Format(time.RFC3339Nano), nil), `"owner":"operations"`)

	require.Equal(t, 10, strings.Count(c.ok("GET", "/audit", nil), "\n"))
	require.Contains(t, c.ok("GET", "/audit/verify", nil), `"intact":true`)
	_, err := c.db.ExecContext(t.Context(), `UPDATE issokit_record SET data = CAST(replace(CAST(data AS TEXT), 'workshop', 'nothing!') AS BLOB) WHERE collection = '~audit'`)
	require.NoError(t, err)
	require.JSONEq(t, `{"intact":false,"entry":1,"why":"the stored hash is not that of the entry","collection":"","key":""}`, c.ok("GET", "/audit/verify", nil))
}

// TestAcceptance: a risk is accepted when two others have approved what was asked
// for, and one of them may sign.
func TestAcceptance(t *testing.T) {
	c := serve(t)
	c.ok("POST", "/risks", phishing("R-1", "operations"))
	event := func(c client, body string) (int, string) {
		t.Helper()
		status, text, _ := c.do("POST", "/risks/R-1/events", body)
		return status, text
	}
	rated, err := matrix.ThreatEvent{Initiation: matrix.High, AdverseImpact: matrix.Moderate, Impact: matrix.High}.Rate()
	require.NoError(t, err)
	now := june
	assessment := risk.Rated(risk.Current, rated, now.Add(-time.Hour), risk.Actor{ID: "p.meyer"})
	for _, e := range []map[string]any{
		{"Kind": "analyse", "Assessments": []risk.Assessment{assessment}},
		{"Kind": "evaluate"},
		{"Kind": "request-acceptance", "Reason": "The system is retired soon.", "Expires": now.AddDate(0, 3, 0), "Digest": assessment.Digest()},
	} {
		status, text, _ := c.do("POST", "/risks/R-1/events", e)
		require.Equal(t, http.StatusOK, status, text)
	}
	status, text := event(c.as(ciso), `{"Kind":"approve"}`)
	require.Equal(t, http.StatusConflict, status, text)
	require.Contains(t, text, "two others must approve")

	var asked struct {
		Approval struct{ ID string }
		State    string
	}
	ask := func() string {
		require.NoError(t, json.Unmarshal([]byte(c.ok("POST", "/risks/R-1/approvals", `{}`)), &asked))
		require.Equal(t, "pending", asked.State)
		return "/approvals/" + asked.Approval.ID
	}
	first := ask()
	decide := func(c client, approval, body string) (int, string) {
		status, text, _ := c.do("POST", approval+"/decisions", body)
		return status, strings.TrimSpace(text)
	}
	for _, tt := range []struct {
		who    string
		body   string
		status int
	}{
		{meyer, `{"approves":true}`, http.StatusForbidden},
		{schmidt, `{}`, http.StatusBadRequest},
		{other, `{"approves":true}`, http.StatusNotFound},
		{schmidt, `{"approves":true}`, http.StatusOK},
		{schmidt, `{"approves":true}`, http.StatusConflict},
	} {
		status, text := decide(c.as(tt.who), first, tt.body)
		require.Equal(t, tt.status, status, text)
	}
	status, text = event(c.as(ciso), `{"Kind":"approve"}`)
	require.Equal(t, http.StatusConflict, status, text)

	// A change of the risk makes it void.
	_, _, tag := c.do("GET", "/risks/R-1", nil)
	var x risk.Risk
	require.NoError(t, json.Unmarshal([]byte(c.ok("GET", "/risks/R-1", nil)), &x))
	x.Statement = "Less happens."
	c.ok("PUT", "/risks/R-1", x, "If-Match", tag)
	require.Contains(t, c.ok("GET", first, nil), `"state":"void"`)
	status, text = decide(c.as(ciso), first, `{"approves":true}`)
	require.Equal(t, http.StatusConflict, status, text)

	second := ask()
	decide(c.as(schmidt), second, `{"approves":true}`)
	status, text = decide(c.as(ciso), second, `{"approves":true,"comment":"until it is retired"}`)
	require.Equal(t, []any{http.StatusOK, `{"state":"approved"}`}, []any{status, text})
	status, text = event(c.as(ciso), `{"Kind":"approve"}`)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, `"state":"accepted"`)
	require.Contains(t, c.ok("GET", "/audit/verify", nil), `"intact":true`)
}

// packageOfSample makes the documents of the sample of the other example.
func packageOfSample(t *testing.T) *governance.Package {
	files := os.DirFS(filepath.Join("..", "authorization-package", "sample"))
	in, err := governance.ReadInputs(context.Background(), governance.Sources{
		Open:   func(name string) (io.ReadCloser, error) { return files.Open(name) },
		Loader: profile.FS(files), Profile: "profile.json",
		Components: []string{"component-platform.json", "component-application.json"},
		System:     "system.yaml", Vendors: "vendors.yaml", Scans: []string{"scan.sarif"},
	})
	require.NoError(t, err)
	p, err := governance.BuildPackage(in, governance.PackageOptions{AsOf: june.Truncate(24 * time.Hour), Format: oscal.JSON})
	require.NoError(t, err)
	return p
}

func TestPOAM(t *testing.T) {
	c := serve(t)
	p := packageOfSample(t)
	for name, doc := range map[string]*oscal.Document{"ssp": p.SSP, "results": p.Results} {
		var text bytes.Buffer
		require.NoError(t, doc.Write(&text, &oscal.WriteOptions{Format: oscal.JSON}))
		c.ok("PUT", "/documents/"+name, text.Bytes(), "If-None-Match", "*")
		require.Equal(t, text.String(), c.ok("GET", "/documents/"+name, nil))
		status, _, _ := c.do("PUT", "/documents/"+name, text.Bytes(), "If-None-Match", "*")
		require.Equal(t, http.StatusPreconditionFailed, status)
	}
	status, text, _ := c.do("PUT", "/documents/wrong", `{"catalog":{"uuid":"no"}}`, "If-None-Match", "*")
	require.Equal(t, http.StatusUnprocessableEntity, status, text)
	require.Contains(t, c.ok("GET", "/documents?model=system-security-plan", nil), `"name":"ssp"`)
	status, _, _ = c.do("GET", "/poam", nil)
	require.Equal(t, http.StatusNotFound, status)

	var update struct{ Created, Kept []string }
	require.NoError(t, json.Unmarshal([]byte(c.ok("POST", "/poam?ssp=ssp&results=results", nil)), &update))
	require.NotEmpty(t, update.Created)
	created := update.Created
	update.Created = nil
	require.NoError(t, json.Unmarshal([]byte(c.ok("POST", "/poam?ssp=ssp&results=results", nil)), &update))
	require.Empty(t, update.Created, "the same results make nothing new")
	require.Equal(t, created, update.Kept)

	var items []poamItem
	require.NoError(t, json.Unmarshal([]byte(c.ok("GET", "/poam", nil)), &items))
	require.Len(t, items, len(created))
	require.Equal(t, created[0], items[0].Number)
	doc, err := oscal.Parse(c.ok("GET", "/documents/poam", nil), nil)
	require.NoError(t, err)
	require.Empty(t, doc.Check())
	status, _, _ = c.do("POST", "/poam?ssp=results&results=ssp", nil)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, c.ok("GET", "/audit/verify", nil), `"intact":true`)
}

// TestRun starts and stops the command.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	tokens := filepath.Join(folder, "tokens.json")
	require.NoError(t, os.WriteFile(tokens, []byte(`{"`+meyer+`":{"tenant":"acme","actor":"p.meyer"}}`), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-db", filepath.Join(folder, "grc.db"), "-listen", "127.0.0.1:0", "-tokens", tokens}, in, io.Discard)
	}()
	var url string
	_, err := fmt.Fscanln(out, &url)
	require.NoError(t, err)
	require.JSONEq(t, `{"items":[],"next":""}`, client{t, url, meyer, nil}.ok("GET", "/risks", nil))
	cancel()
	require.NoError(t, <-done)

	require.NoError(t, os.WriteFile(tokens, []byte(`{"short":{"actor":"x"}}`), 0o600))
	require.ErrorContains(t, run(t.Context(), []string{"-tokens", tokens}, io.Discard, io.Discard), "16 characters")
}
