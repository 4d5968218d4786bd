package main

import "github.com/spf13/cobra"

// riskCommand is the group of commands about risk.
func riskCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "risk",
		Short: "Quantify, score and register risks",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(riskScoreCommand(), riskRegisterCommand())
	return cmd
}
