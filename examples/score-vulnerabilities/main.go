// Command score-vulnerabilities reads what public sources say of the
// vulnerabilities that a scanner has found, scores them, decides, sets deadlines
// and puts them in one order with the reasons.
//
// Without flags it runs on the sample that is built in.
package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/issokit/issokit/risk/vuln"
)

//go:embed sample
var sample embed.FS

// assets say on what each vulnerability was found: facts that no public source
// knows.
var assets = map[string]struct {
	exposed  vuln.Answer
	exposure string // of SSVC
	impact   string // human impact, "" if nobody has judged it
	detected vuln.Date
	rating   string
}{
	"CVE-2026-90001": {vuln.Yes, "open", "high", vuln.Date{Year: 2026, Month: 12, Day: 9}, "High"},
	"CVE-2026-90002": {vuln.No, "small", "low", vuln.Date{Year: 2026, Month: 11, Day: 24}, "Moderate"},
	"CVE-2026-90003": {vuln.Yes, "controlled", "", vuln.Date{Year: 2026, Month: 12, Day: 4}, "High"},
	"CVE-2026-90004": {vuln.Yes, "controlled", "medium", vuln.Date{Year: 2026, Month: 12, Day: 4}, "Moderate"},
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "score-vulnerabilities:", err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("score-vulnerabilities", flag.ContinueOnError)
	folder := flags.String("in", "", "folder with epss.csv, kev.json and records.json; default the sample that is built in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	files, err := fs.Sub(sample, "sample")
	if err != nil {
		return err
	}
	if *folder != "" {
		files = os.DirFS(*folder)
	}
	epss, kev, records, err := read(files)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "EPSS model %s of %v, %d scores; KEV catalog %s, %d entries; %d records\n\n", epss.ModelVersion, epss.Date, epss.Len(), kev.Version, len(kev.Entries), len(records))

	table, err := vuln.LookupTable("deployer")
	if err != nil {
		return err
	}
	var candidates []vuln.Candidate
	for _, r := range records {
		c, err := assess(w, r, epss, kev, table)
		if err != nil {
			return fmt.Errorf("%s: %w", r.ID, err)
		}
		candidates = append(candidates, c)
	}

	ranked, err := vuln.Prioritize(candidates, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "In this order:")
	for _, r := range ranked {
		fmt.Fprintf(w, "%d. %s: %s\n", r.Priority, r.ID, r.Reason)
		for _, f := range r.Facts {
			fmt.Fprintf(w, "     %-8s %s (%s)\n", f.Name, f.Value, f.Text)
		}
	}
	return nil
}

// read reads the three sources, with all that is wrong in them.
func read(files fs.FS) (*vuln.EPSS, *vuln.KEV, []vuln.Record, error) {
	var epss *vuln.EPSS
	var kev *vuln.KEV
	var records []vuln.Record
	return epss, kev, records, errors.Join(
		with(files, "epss.csv", func(r io.Reader) (err error) {
			epss, err = vuln.ReadEPSS(r, nil)
			return err
		}),
		with(files, "kev.json", func(r io.Reader) (err error) {
			kev, err = vuln.ReadKEV(r, nil)
			return err
		}),
		with(files, "records.json", func(r io.Reader) error {
			for rec, err := range vuln.ReadRecords(r, nil) {
				if err != nil {
					return err
				}
				if rec.Problems != nil {
					return rec.Problems
				}
				records = append(records, rec)
			}
			return nil
		}),
	)
}

func with(files fs.FS, name string, do func(io.Reader) error) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := do(f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// assess puts together what is known of one vulnerability.
func assess(w io.Writer, r vuln.Record, epss *vuln.EPSS, kev *vuln.KEV, table *vuln.Table) (vuln.Candidate, error) {
	cve := r.CVE()
	asset := assets[cve]
	c := vuln.Candidate{ID: cve}
	c.EPSS, _ = epss.Lookup(cve)
	entry, listed := kev.Lookup(cve)

	fmt.Fprintf(w, "%s  %s\n", cve, r.Title)
	if best, ok := r.Best(); ok {
		c.CVSS = best.Vector
		fmt.Fprintf(w, "  CVSS %v: %v %v", best.Vector.Version(), best.Vector.Score(), best.Vector.Severity())
		if !math.IsNaN(best.Score) {
			verdict, err := vuln.Check(best.Vector.String(), best.Score)
			if err != nil {
				return c, err
			}
			fmt.Fprintf(w, "; %s states %v, which is %v", best.By, best.Score, verdict.Claim)
		}
		fmt.Fprintln(w)
	}

	f := vuln.Finding{ID: cve, Detected: asset.detected, Rating: asset.rating, Exposed: asset.exposed, KEV: vuln.No}
	if listed {
		f.KEV, f.KEVListed, f.KEVDue = vuln.Yes, entry.DateAdded, entry.DueDate
	}
	facts := vuln.Facts{"System Exposure": {asset.exposure}}
	if asset.impact != "" {
		facts["Human Impact"] = []string{asset.impact}
	}
	if r.SSVC != nil {
		for name, values := range r.SSVC.Facts {
			facts[name] = values
		}
		f.Automatable = map[string]vuln.Answer{"yes": vuln.Yes, "no": vuln.No}[strings.Join(r.SSVC.Facts["Automatable"], "")]
		f.TechnicalImpact = strings.Join(r.SSVC.Facts["Technical Impact"], "")
	}
	var err error
	if c.Decision, err = table.Decide(facts); err != nil {
		return c, err
	}
	for _, s := range c.Decision.Rate().Why {
		fmt.Fprintf(w, "  %v\n", s)
	}

	deadlines, err := vuln.DueAll([]vuln.Finding{f}, []vuln.Policy{vuln.FedRAMPRev5(), vuln.KEVPolicy{}, vuln.BODPolicy{Defaults: true}}, nil)
	if err != nil {
		return c, err
	}
	for _, d := range deadlines {
		fmt.Fprintf(w, "  %s: %v\n", d.Policy, d)
	}
	c.Deadline = deadlines[0]
	fmt.Fprintln(w)
	return c, nil
}
