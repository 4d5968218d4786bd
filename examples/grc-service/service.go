package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/risk/matrix"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/approval"
	"github.com/issokit/issokit/store/documents"
)

// service is the HTTP interface:
//
//	GET    /risks?owner=&state=&order=&after=&limit=   a page of the register
//	POST   /risks                                      a new risk
//	GET    /risks/{id}[?at=TIME]                       a risk, now or then
//	PUT    /risks/{id}        If-Match: "REVISION"     change what no event does
//	DELETE /risks/{id}        If-Match: "REVISION"     remove it
//	POST   /risks/{id}/events                          analyse, evaluate, treat, accept, close ...
//	POST   /risks/{id}/approvals                       ask two others to approve its acceptance
//	GET    /approvals/{id}                             what was decided, and what it is worth now
//	POST   /approvals/{id}/decisions                   approve or reject
//	GET    /risks/{id}/history                         who changed what, when and why
//	GET    /documents?model=&title=&uuid=&control=     search
//	GET    /documents/{name}                           an OSCAL document as it came
//	PUT    /documents/{name}                           store one
//	POST   /poam?ssp=NAME&results=NAME                 update the plan of action and milestones
//	GET    /poam                                       its items, with their age
//	GET    /audit?from=&to=                            the audit trail
//	GET    /audit/verify                               whether it is intact
type service struct {
	store *store.Store
	now   func() time.Time
	// Tokens are kept as hashes, so that looking one up takes no longer the more of
	// it is right.
	principals map[[sha256.Size]byte]principal
	risks      *store.Collection[risk.Risk]
	criteria   risk.Criteria
}

// poamName is the document that holds the plan of action and milestones.
const poamName = "poam"

// maxBody bounds what a request may send.
const maxBody = 32 << 20

func newService(st *store.Store, tokens map[string]principal, now func() time.Time) http.Handler {
	scale := risk.Scale(matrix.NISTScale())
	s := &service{
		store: st, now: now, principals: map[[sha256.Size]byte]principal{},
		criteria: risk.Criteria{
			Scales:    []risk.Scale{scale},
			Appetites: []risk.Appetite{{System: scale.System, Appetite: "low", Tolerance: "moderate"}},
			Terms:     []risk.Term{{AcceptDays: 365, Review: 3}},
			// Of those who have approved, this one may sign.
			Authorities: []risk.Authority{{Who: "ciso", System: scale.System, Level: "very-high"}},
		},
		// One declaration for all requests; each binds it to its own scope.
		risks: store.NewCollection(st.Scope(store.Principal{}), "risks", risk.Risk.Key, &store.CollectionOptions[risk.Risk]{
			Attrs: map[string]func(risk.Risk) []string{
				"owner":    func(r risk.Risk) []string { return []string{r.Owner} },
				"state":    func(r risk.Risk) []string { return []string{r.State.String()} },
				"deadline": func(r risk.Risk) []string { return []string{store.TimeValue(r.Deadline)} },
				"control":  func(r risk.Risk) []string { return r.Controls },
			},
		}),
	}
	for token, p := range tokens {
		s.principals[sha256.Sum256([]byte(token))] = p
	}
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /risks":              s.listRisks,
		"POST /risks":             s.createRisk,
		"GET /risks/{id}":         s.getRisk,
		"PUT /risks/{id}":         s.putRisk,
		"DELETE /risks/{id}":      s.deleteRisk,
		"POST /risks/{id}/events": s.applyEvent,
		"GET /risks/{id}/history": s.riskHistory,

		"POST /risks/{id}/approvals":     s.requestApproval,
		"GET /approvals/{id}":            s.getApproval,
		"POST /approvals/{id}/decisions": s.decide,

		"GET /documents":        s.findDocuments,
		"GET /documents/{name}": s.getDocument,
		"PUT /documents/{name}": s.putDocument,
		"POST /poam":            s.updatePOAM,
		"GET /poam":             s.poamItems,
		"GET /audit":            s.audit,
		"GET /audit/verify":     s.verify,
	} {
		mux.Handle(pattern, s.handle(h))
	}
	return mux
}

// A handler works for a principal.
type handler func(w http.ResponseWriter, r *http.Request, scope *store.Scope) error

// errStatus carries a status of its own.
type errStatus struct {
	status int
	text   string
}

func (e errStatus) Error() string { return e.text }

func bad(format string, args ...any) error {
	return errStatus{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// handle finds out who asks, and turns errors into answers.
func (s *service) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		p, ok := s.principals[sha256.Sum256([]byte(token))]
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			answer(w, http.StatusUnauthorized, map[string]string{"error": "a valid token is needed"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		scope := s.store.Scope(store.Principal{Tenant: p.Tenant, Actor: p.Actor, Reason: r.Header.Get("X-Reason")})
		if err := h(w, r, scope); err != nil {
			answer(w, status(err), map[string]string{"error": err.Error()})
		}
	})
}

func status(err error) int {
	if s, ok := errors.AsType[errStatus](err); ok {
		return s.status
	}
	if _, ok := errors.AsType[*risk.TransitionError](err); ok {
		return http.StatusConflict
	}
	if _, ok := errors.AsType[oscal.Problems](err); ok {
		return http.StatusUnprocessableEntity
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	for _, x := range []struct {
		err    error
		status int
	}{
		{approval.ErrDuties, http.StatusForbidden},
		{approval.ErrDecided, http.StatusConflict},
		{approval.ErrClosed, http.StatusConflict},
		{approval.ErrForged, http.StatusConflict},
		{store.ErrConflict, http.StatusPreconditionFailed},
		{store.ErrNotFound, http.StatusNotFound},
		{store.ErrExists, http.StatusConflict},
		{store.ErrSealed, http.StatusConflict},
		{store.ErrInvalid, http.StatusBadRequest},
		{store.ErrCursor, http.StatusBadRequest},
		{store.ErrTooLarge, http.StatusRequestEntityTooLarge},
		{store.ErrBusy, http.StatusServiceUnavailable},
		{risk.ErrInvalid, http.StatusUnprocessableEntity},
	} {
		if errors.Is(err, x.err) {
			return x.status
		}
	}
	return http.StatusInternalServerError
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}

// read reads a JSON body, and nothing that is not understood.
func read(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); err == io.EOF {
			return nil
		}
		err = cmp.Or(err, errors.New("there is more behind the JSON value"))
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return bad("the body: %v", err)
}

func etag(revision int64) string { return strconv.Quote(strconv.FormatInt(revision, 10)) }

// ifMatch returns the revision that a change is meant for: without one, the
// change of another would be lost.
func ifMatch(r *http.Request) (int64, error) {
	text := r.Header.Get("If-Match")
	if text == "" {
		return 0, errStatus{http.StatusPreconditionRequired, "If-Match with the ETag of the risk is needed"}
	}
	n, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64)
	if err != nil || n < 1 {
		return 0, bad("If-Match: expected an ETag of this service, found %q", text)
	}
	return n, nil
}

// versioned is a risk with what the audit trail knows of it.
type versioned struct {
	Revision int64        `json:"revision"`
	Time     time.Time    `json:"time"`
	Actor    string       `json:"actor"`
	Reason   string       `json:"reason,omitzero"`
	Action   store.Action `json:"action"`
	Risk     *risk.Risk   `json:"risk,omitzero"`
}

func version(v store.Versioned[risk.Risk]) versioned {
	out := versioned{Revision: v.Revision, Time: v.Time, Actor: v.Actor, Reason: v.Reason, Action: v.Action}
	if v.Action != store.ActionDelete && !v.Erased {
		out.Risk = &v.Value
	}
	return out
}

func (s *service) listRisks(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	form := r.URL.Query()
	q := store.Query{OrderBy: form.Get("order")}
	for _, attr := range []string{"owner", "state", "control"} {
		if v, ok := form[attr]; ok {
			q.Where = append(q.Where, store.AnyOf(attr, v...))
		}
	}
	limit := 0
	if text := form.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil {
			return bad("limit: expected a number, found %q", text)
		}
	}
	page, err := s.risks.For(scope).Page(r.Context(), q, store.Cursor(form.Get("after")), limit)
	if err != nil {
		return err
	}
	items := []versioned{}
	for _, v := range page.Items {
		items = append(items, version(v))
	}
	answer(w, http.StatusOK, map[string]any{"items": items, "next": page.Next})
	return nil
}

func (s *service) createRisk(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	var x risk.Risk
	if err := read(r, &x); err != nil {
		return err
	}
	if x.ID == "" {
		x.ID = scope.NewID()
	}
	if err := keepLife(&x, risk.Risk{State: risk.Identified}); err != nil {
		return err
	}
	revision, err := s.risks.For(scope).Swap(r.Context(), x, 0)
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("risk %q: %w", x.ID, store.ErrExists)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/risks/"+url.PathEscape(x.ID))
	w.Header().Set("ETag", etag(revision))
	answer(w, http.StatusCreated, x)
	return nil
}

// keepLife gives a risk that somebody wrote the life of the one that is stored:
// what events make of it, by rules that say who may do what. A body may leave it
// out or repeat it, and change nothing of it.
func keepLife(x *risk.Risk, stored risk.Risk) error {
	type life struct {
		State       risk.State        `json:"state,omitzero"`
		Assessments []risk.Assessment `json:"assessments,omitempty"`
		Responses   []risk.Response   `json:"responses,omitempty"`
		Acceptances []risk.Acceptance `json:"acceptances,omitempty"`
		Closure     *risk.Closure     `json:"closure,omitempty"`
		Log         []risk.Entry      `json:"log,omitempty"`
		Source      *oscal.Risk       `json:"source,omitempty"`
	}
	of := func(r *risk.Risk) map[string]json.RawMessage {
		text, err := json.Marshal(life{r.State, r.Assessments, r.Responses, r.Acceptances, r.Closure, r.Log, r.Source})
		var members map[string]json.RawMessage
		if err == nil {
			err = json.Unmarshal(text, &members)
		}
		if err != nil {
			panic(err) // these types have a JSON form
		}
		return members
	}
	was := of(&stored)
	for name, text := range of(x) {
		if !bytes.Equal(text, was[name]) {
			return bad("%s: only events change it, see POST /risks/{id}/events", name)
		}
	}
	x.State, x.Assessments, x.Responses, x.Acceptances = stored.State, stored.Assessments, stored.Responses, stored.Acceptances
	x.Closure, x.Log, x.Source = stored.Closure, stored.Log, stored.Source
	return nil
}

func (s *service) getRisk(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	risks := s.risks.For(scope)
	if text := r.URL.Query().Get("at"); text != "" {
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return bad("at: expected a time such as 2026-06-30T12:00:00Z, found %q", text)
		}
		x, err := risks.At(r.Context(), r.PathValue("id"), at)
		if err != nil {
			return err
		}
		answer(w, http.StatusOK, x)
		return nil
	}
	v, err := risks.Load(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(v.Revision))
	answer(w, http.StatusOK, v.Value)
	return nil
}

func (s *service) putRisk(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	revision, err := ifMatch(r)
	if err != nil {
		return err
	}
	var x risk.Risk
	if err := read(r, &x); err != nil {
		return err
	}
	if x.ID != r.PathValue("id") {
		return bad("the body is of risk %q", x.ID)
	}
	err = scope.Update(r.Context(), func(tx *store.Tx) error {
		risks := s.risks.In(tx)
		stored, err := risks.Get(r.Context(), x.ID)
		if err != nil {
			return err
		}
		if err := keepLife(&x, stored); err != nil {
			return err
		}
		revision, err = risks.Swap(r.Context(), x, revision)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(revision))
	answer(w, http.StatusOK, x)
	return nil
}

func (s *service) deleteRisk(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	revision, err := ifMatch(r)
	if err != nil {
		return err
	}
	if err := s.risks.For(scope).Delete(r.Context(), r.PathValue("id"), revision); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// applyEvent lets package risk work on the store, of which it knows but three
// methods. The transaction makes reading, deciding and writing one step.
func (s *service) applyEvent(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	var e risk.Event
	if err := read(r, &e); err != nil {
		return err
	}
	e.By = scope.Principal().Actor
	var x risk.Risk
	var revision int64
	err := scope.Update(r.Context(), func(tx *store.Tx) error {
		risks := s.risks.In(tx)
		v, err := risks.Load(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		if e.Kind == risk.Approve {
			holds, err := s.desk(tx.Scope()).Holds(r.Context(), acceptance, risks.Name(), v.Key)
			if err != nil {
				return err
			}
			if !holds {
				return errStatus{http.StatusConflict, "two others must approve the acceptance as it is requested, see POST /risks/{id}/approvals"}
			}
		}
		x, revision, err = risk.Update(r.Context(), risks, v.Key, v.Revision, e, s.criteria, s.now())
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(revision))
	answer(w, http.StatusOK, x)
	return nil
}

// acceptance is what the approvals of this service are for.
const acceptance = "acceptance"

func (s *service) desk(scope *store.Scope) *approval.Desk { return approval.NewDesk(scope, s.now) }

// requestApproval asks for the approval of a risk as it is now: with an acceptance
// that is requested. Whatever is changed of the risk, the approval is void.
func (s *service) requestApproval(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	var a approval.Approval
	err := scope.Update(r.Context(), func(tx *store.Tx) error {
		risks := s.risks.In(tx)
		x, err := risks.Get(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		if x.State != risk.AcceptanceRequested {
			return errStatus{http.StatusConflict, fmt.Sprintf("the risk is %v: there is no acceptance to approve", x.State)}
		}
		rule := approval.Rule{Quorum: 2, Deadline: s.now().AddDate(0, 1, 0)}
		a, err = s.desk(tx.Scope()).Request(r.Context(), acceptance, risks.Name(), x.ID, rule)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/approvals/"+url.PathEscape(a.ID))
	answer(w, http.StatusCreated, map[string]any{"approval": a, "state": approval.Pending})
	return nil
}

func (s *service) getApproval(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	a, state, err := s.desk(scope).Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"approval": a, "state": state})
	return nil
}

func (s *service) decide(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	var decision struct {
		Approves *bool  `json:"approves"`
		Comment  string `json:"comment"`
	}
	if err := read(r, &decision); err != nil {
		return err
	}
	if decision.Approves == nil {
		return bad(`the body: "approves" is true or false`)
	}
	state, err := s.desk(scope).Decide(r.Context(), r.PathValue("id"), *decision.Approves, decision.Comment)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"state": state})
	return nil
}

func (s *service) riskHistory(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	out := []versioned{}
	for v, err := range s.risks.For(scope).History(r.Context(), r.PathValue("id")) {
		if err != nil {
			return err
		}
		out = append(out, version(v))
	}
	if len(out) == 0 {
		return store.ErrNotFound
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (s *service) findDocuments(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	form := r.URL.Query()
	q := documents.Query{Model: form.Get("model"), Title: form.Get("title"), UUID: form.Get("uuid"), Control: form.Get("control")}
	out := []documents.Entry{}
	for e, err := range documents.NewLibrary(scope).Find(r.Context(), q) {
		if err != nil {
			return err
		}
		e.Controls = nil // of a catalog a thousand
		out = append(out, e)
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (s *service) getDocument(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	library := documents.NewLibrary(scope)
	v, err := library.Entries().Load(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	text, err := library.Version(r.Context(), v.Value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/"+v.Value.Format)
	w.Header().Set("ETag", etag(v.Revision))
	_, err = w.Write(text)
	return err
}

func (s *service) putDocument(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	revision := int64(0)
	if r.Header.Get("If-None-Match") != "*" {
		var err error
		if revision, err = ifMatch(r); err != nil {
			return err
		}
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	e, revision, err := documents.NewLibrary(scope).Put(r.Context(), r.PathValue("name"), text, revision)
	if err != nil {
		return err
	}
	e.Controls = nil
	w.Header().Set("ETag", etag(revision))
	answer(w, http.StatusOK, e)
	return nil
}

// view reads a document of the library as its type.
func view[T any](ctx context.Context, l *documents.Library, name string) (*T, error) {
	doc, err := l.Document(ctx, name)
	if err != nil {
		return nil, err
	}
	v, err := oscal.As[T](doc)
	if err != nil {
		return nil, errStatus{http.StatusUnprocessableEntity, err.Error()}
	}
	return v, nil
}

// updatePOAM takes assessment results into the plan of action and milestones:
// reading the documents and writing the new plan are one transaction.
func (s *service) updatePOAM(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	form := r.URL.Query()
	var plan *assessment.POAM
	err := scope.Update(r.Context(), func(tx *store.Tx) error {
		library := documents.NewLibrary(tx.Scope())
		ssp, err := view[oscal.SystemSecurityPlan](r.Context(), library, form.Get("ssp"))
		if err != nil {
			return err
		}
		results, err := view[oscal.AssessmentResults](r.Context(), library, form.Get("results"))
		if err != nil {
			return err
		}
		var previous *oscal.PlanOfActionAndMilestones
		was, err := library.Entries().Load(r.Context(), poamName)
		switch {
		case err == nil:
			previous, err = view[oscal.PlanOfActionAndMilestones](r.Context(), library, poamName)
		case errors.Is(err, store.ErrNotFound):
			err = nil
		}
		if err != nil {
			return err
		}
		if plan, err = assessment.UpdatePOAM(previous, ssp, results, s.now(), nil); err != nil {
			return errStatus{http.StatusUnprocessableEntity, err.Error()}
		}
		doc, err := oscal.FromView(plan.Document)
		if err != nil {
			return err
		}
		_, _, err = library.PutDocument(r.Context(), poamName, doc, was.Revision)
		return err
	})
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"created": plan.Created, "recurred": plan.Recurred, "kept": plan.Kept, "closed": plan.Closed, "absent": plan.Absent})
	return nil
}

// poamItem is an item with what depends on the day.
type poamItem struct {
	Number    string   `json:"number"`
	Title     string   `json:"title"`
	Status    string   `json:"status"`
	Severity  string   `json:"severity"`
	FirstSeen string   `json:"first-seen"`
	Due       string   `json:"due,omitzero"`
	Overdue   bool     `json:"overdue"`
	Controls  []string `json:"controls"`
}

func (s *service) poamItems(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	plan, err := view[oscal.PlanOfActionAndMilestones](r.Context(), documents.NewLibrary(scope), poamName)
	if err != nil {
		return err
	}
	today := assessment.DateOf(s.now())
	out := []poamItem{}
	for _, i := range assessment.POAMItems(plan) {
		x := poamItem{Number: i.Number, Title: i.Title, Status: i.Status, Severity: i.Severity.String(), FirstSeen: i.FirstSeen.String(), Controls: i.Controls}
		if i.Due != (assessment.Date{}) {
			x.Due = i.Due.String()
			x.Overdue = i.Aging(today).Overdue
		}
		out = append(out, x)
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (s *service) audit(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	var bounds [2]int64
	for i, name := range []string{"from", "to"} {
		if text := r.URL.Query().Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return bad("%s: expected a number, found %q", name, text)
			}
			bounds[i] = n
		}
	}
	w.Header().Set("Content-Type", "application/jsonl")
	for e, err := range scope.Trail(r.Context(), bounds[0], bounds[1]) {
		if err != nil {
			return err
		}
		if _, err := w.Write(append(e.Canonical(), '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) verify(w http.ResponseWriter, r *http.Request, scope *store.Scope) error {
	report, err := scope.Verify(r.Context(), nil)
	if broken, ok := errors.AsType[*store.ChainError](err); ok {
		answer(w, http.StatusOK, map[string]any{"intact": false, "entry": broken.Seq, "why": broken.Why, "collection": broken.Collection, "key": broken.Key})
		return nil
	}
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"intact": true, "entries": report.Entries, "records": report.Records, "hash": report.Hash})
	return nil
}
