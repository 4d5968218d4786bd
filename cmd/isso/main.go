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

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// errProblems ends a command whose findings have been printed already.
var errProblems = errors.New("problems were found")

// errUnreadable ends a command that could not read an input, which has been said
// already.
var errUnreadable = errors.New("an input cannot be read")

// run executes the command and returns the exit status.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "isso",
		Short:         "Work with OSCAL documents and authorization packages",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(
		validateCommand(),
		convertCommand(),
		resolveCommand(),
		diffCommand(),
		inspectCommand(),
		packageCommand(),
		riskCommand(),
		queryCommand(),
		listAllowedValuesCommand(),
		splitCommand(),
		joinCommand(),
		dbCommand(),
	)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.Execute(); {
	case err == nil:
		return 0
	case errors.Is(err, errProblems):
		return 1
	case errors.Is(err, errUnreadable):
		return 2
	default:
		fmt.Fprintf(stderr, "isso: %v\n", err)
		return 2
	}
}
