// Command isso reads, checks, converts and resolves OSCAL documents and makes
// authorization packages of them.
//
// Exit status: 0 if all is well, 1 if documents have problems, 2 if the command
// could not do its work (wrong use, a file that cannot be read or written).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/oscal"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// errProblems ends a command whose findings have been printed already.
var errProblems = errors.New("problems were found")

// errUnreadable ends a command that could not read an input, which has been said
// already.
var errUnreadable = errors.New("an input cannot be read")

// An output remembers the first error of writing, after which it takes nothing
// more: so no command can end well whose output was lost.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.Writer.Write(p)
	o.err = err
	return n, err
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "isso",
		Short: "Work with OSCAL documents and authorization packages",
		Long: "Isso reads, checks, converts and resolves OSCAL documents in JSON, YAML and XML, makes\n" +
			"authorization packages of them, and keeps risks and records.\n\n" +
			"Exit status: 0 if all is well, 1 if documents have problems, 2 if the command could\n" +
			"not do its work (wrong use, a file that cannot be read or written).",
		Version:       versionText(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	for _, g := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Documents:", []*cobra.Command{validateCommand(), convertCommand(), diffCommand(), inspectCommand(), queryCommand(), listAllowedValuesCommand(), splitCommand(), joinCommand()}},
		{"Authorization:", []*cobra.Command{resolveCommand(), packageCommand()}},
		{"Risk and records:", []*cobra.Command{riskCommand(), dbCommand()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, cmd := range g.commands {
			cmd.GroupID = g.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(versionCommand())
	nameInErrors(root)
	return root
}

// run executes the command and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root, out := rootCommand(), &output{Writer: stdout}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.Execute()
	if out.err != nil {
		err = out.err
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, syscall.EPIPE): // whoever read the output has seen enough
		return 2
	case errors.Is(err, errUnreadable):
		return 2
	case errors.Is(err, errProblems):
		return 1
	default:
		fmt.Fprintf(stderr, "isso: %v\n", err)
		return 2
	}
}

// nameInErrors makes errors of wrong use begin with the name of the command.
func nameInErrors(cmd *cobra.Command) {
	named := func(cmd *cobra.Command, err error) error {
		if err == nil || cmd == cmd.Root() {
			return err
		}
		_, name, _ := strings.Cut(cmd.CommandPath(), " ")
		return fmt.Errorf("%s: %w; isso %s --help tells its use", name, err, name)
	}
	cmd.SetFlagErrorFunc(named)
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return named(cmd, check(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		nameInErrors(sub)
	}
}

// moduleVersion is the version of the module that the program was built from.
func moduleVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func versionText() string {
	return fmt.Sprintf("isso %s, OSCAL 1.0.0 to %s, %s", moduleVersion(), oscal.ModelVersion, runtime.Version())
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program and of OSCAL",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), versionText())
			return nil
		},
	}
}
